const remembered = 64
const shortest = 6

/**
 * The secrets that the process holds, so that they can be struck out wherever text leaves it:
 * log lines, problem documents. The newest 64 are known: access tokens change every hour.
 */
export class Secrets {
  readonly #permanent = new Set<string>()
  readonly #passing = new Set<string>()

  /** Makes a configured secret known for good. */
  addPermanent(secret: string): void {
    for (const form of forms(secret)) this.#permanent.add(form)
  }

  /** Makes a token known; the oldest is forgotten when there are too many. */
  add(secret: string): void {
    for (const form of forms(secret)) this.#passing.add(form)
    for (const oldest of this.#passing) {
      if (this.#passing.size <= remembered) break
      this.#passing.delete(oldest)
    }
  }

  /** The text with every known secret replaced by `[redacted]`. */
  scrub(text: string): string {
    let clean = text
    for (const secret of this.#permanent) clean = clean.replaceAll(secret, '[redacted]')
    for (const secret of this.#passing) clean = clean.replaceAll(secret, '[redacted]')
    return clean
  }
}

/** As it is, and as it looks inside JSON and in a URL. Very short ones would strike out words. */
function forms(secret: string): string[] {
  if (secret.length < shortest) return []
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])]
}
