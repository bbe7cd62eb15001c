const remembered = 64
const shortest = 6
// As much of a secret's begin as tells it from other text.
const telling = 16
const struck = '[redacted]'

/**
 * The secrets that the process holds, so that they can be struck out wherever text leaves it:
 * log lines, problem documents. The newest 64 are known: access tokens change every hour.
 */
export class Secrets {
  readonly #permanent = new Set<string>()
  readonly #passing = new Set<string>()
  /** Matches how any of them begins: most text has none, and every log line is looked at. */
  #anyBegin: RegExp | null = null

  /** Makes a configured secret known for good. */
  addPermanent(secret: string): void {
    for (const form of forms(secret)) this.#permanent.add(form)
    this.#anyBegin = null
  }

  /** Makes a token known; the oldest is forgotten when there are too many. */
  add(secret: string): void {
    for (const form of forms(secret)) this.#passing.add(form)
    this.#anyBegin = null
    for (const oldest of this.#passing) {
      if (this.#passing.size <= remembered) break
      this.#passing.delete(oldest)
    }
  }

  /**
   * The text with every known secret replaced by `[redacted]`, also one whose end was cut off: what
   * others said is quoted up to some length.
   */
  scrub(text: string): string {
    if (!this.#begins().test(text)) return text
    const secrets = this.#all()
    let clean = text
    for (const secret of secrets) clean = clean.replaceAll(secret, struck)
    for (const secret of secrets) clean = withoutBegin(clean, secret)
    return clean
  }

  #all(): string[] {
    return [...this.#permanent, ...this.#passing]
  }

  #begins(): RegExp {
    // Made of nothing it would match everything.
    this.#anyBegin ??= new RegExp(this.#all().map(beginOf).join('|') || '(?!)')
    return this.#anyBegin
  }
}

function beginOf(secret: string): string {
  return RegExp.escape(secret.slice(0, telling))
}

/** As it is, and as it looks inside JSON and in a URL. Very short ones would strike out words. */
function forms(secret: string): string[] {
  if (secret.length < shortest) return []
  const inUrl = encodeURIComponent(secret.toWellFormed()) // It throws on half an emoji.
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), inUrl])]
}

function withoutBegin(text: string, secret: string): string {
  // To strike out half of an escape would spoil JSON.
  if (secret.length < telling || /["\\]/.test(secret)) return text
  const begin = secret.slice(0, telling)
  let clean = text
  for (let at = clean.indexOf(begin); at !== -1; at = clean.indexOf(begin, at + struck.length)) {
    let end = at + telling
    while (end < clean.length && clean[end] === secret[end - at]) end++
    clean = clean.slice(0, at) + struck + clean.slice(end)
  }
  return clean
}
