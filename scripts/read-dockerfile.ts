/** How a container of an image runs, as far as the last stage of its Dockerfile says it. */
export type Image = {
  env: Record<string, string>
  /** A number, and its group's, too. */
  user: number
  command: string[]
  healthCheck: string[]
  /** What is copied from the build's context, without where it goes. */
  copied: string[]
}

/** Reads what our Dockerfile says. Throws when an instruction is missing or not in exec form. */
export function readDockerfile(text: string): Image {
  const lines = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  const stage = lines.slice(lines.lastIndexOf('\nFROM '))
  const only = (pattern: RegExp): string => {
    const [match, ...more] = stage.matchAll(pattern)
    if (match?.[1] === undefined || more.length > 0) throw new Error(`not once: ${pattern}`)
    return match[1]
  }
  const pairs = only(/^ENV (.+)$/gm).matchAll(/([A-Z_]+)=(\S+)/g)
  const copies = Array.from(stage.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
  return {
    env: Object.fromEntries(Array.from(pairs, ([, name, value]) => [name, value])),
    user: Number(only(/^USER (\d+):\1$/gm)),
    command: JSON.parse(only(/^CMD (\[.+\])$/gm)),
    healthCheck: JSON.parse(only(/^HEALTHCHECK .*CMD (\[.+\])$/gm)),
    copied: copies.flatMap(([, paths = '']) => paths.split(' ')),
  }
}
