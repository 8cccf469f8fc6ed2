/**
 * Layer 7. The field Sec-WebSocket-Extensions (RFC 6455, section 9.1), as text: what is offered and
 * what was agreed on.
 *
 *     permessage-deflate; client_max_window_bits, permessage-deflate; server_max_window_bits="10"
 */

/** One extension with its parameters, in their order. */
export interface Extension {
  readonly name: string
  /** Undefined: a parameter without a value. */
  readonly parameters: ReadonlyMap<string, string | undefined>
}

const TOKEN = "[!#$%&'*+.^_`|~\\dA-Za-z-]+"
const NAME = new RegExp(`\\s*(${TOKEN})\\s*`, 'y')
const PARAMETER = new RegExp(`;\\s*(${TOKEN})(?:\\s*=\\s*(?:(${TOKEN})|"(${TOKEN})"))?\\s*`, 'y')

/** Undefined if it is invalid, or has a parameter twice. */
export function parseExtensions(text: string): Extension[] | undefined {
  const found: Extension[] = []
  let comma = -1
  do {
    const one = parseOne(text, comma + 1)
    if (one === undefined) return undefined
    found.push(one.extension)
    comma = one.end
  } while (text[comma] === ',')
  return comma === text.length ? found : undefined
}

function parseOne(text: string, at: number): { extension: Extension; end: number } | undefined {
  const name = matchAt(NAME, text, at)?.[1]
  if (name === undefined) return undefined
  const parameters = new Map<string, string | undefined>()
  let end = NAME.lastIndex
  for (let match = next(); match !== null; match = next()) {
    const [, key = '', value, quoted] = match
    if (parameters.has(key)) return undefined
    parameters.set(key, value ?? quoted)
    end = PARAMETER.lastIndex
  }
  return { extension: { name, parameters }, end }

  function next(): RegExpExecArray | null {
    return matchAt(PARAMETER, text, end)
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

export function formatExtension({ name, parameters }: Extension): string {
  const all = [...parameters].map(([key, value]) => (value === undefined ? key : `${key}=${value}`))
  return [name, ...all].join('; ')
}
