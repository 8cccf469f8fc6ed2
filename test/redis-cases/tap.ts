/**
 * What stands on the wire between a client and a Redis: a proxy on a unix socket that keeps a copy,
 * and a decoder. Nothing of src/ is in it: it must not share its errors.
 */

import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'

/** The bytes of both directions. */
export interface Tap {
  readonly sent: Buffer[]
  readonly received: Buffer[]
  readonly server: Server
}

/** Listens at `path`, and connects each client to the Redis at `target`. */
export async function tap(path: string, target: string): Promise<Tap> {
  const sent: Buffer[] = []
  const received: Buffer[] = []
  const server = createServer(client => {
    const redis = connect(target)
    client.on('data', chunk => sent.push(chunk)).on('error', () => redis.destroy())
    redis.on('data', chunk => received.push(chunk)).on('error', () => client.destroy())
    client.pipe(redis).pipe(client)
  })
  await once(server.listen(path), 'listening')
  return { sent, received, server }
}

/** An error as a server says it. */
export class Said {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** All values in these bytes, as the guide says that they are shown. */
export function valuesIn(bytes: Buffer): unknown[] {
  let at = 0
  const many = (count: number): unknown[] => Array.from({ length: count }, value)
  function value(): unknown {
    const end = bytes.indexOf('\r\n', at)
    const type = String.fromCharCode(bytes[at]!)
    const text = bytes.toString('utf8', at + 1, end)
    at = end + 2
    if (text === '-1' && '$*'.includes(type)) return null
    if (!'$=!'.includes(type)) return lineValue(type, text, many)
    const content = bytes.toString('utf8', at, at + Number(text))
    at += Number(text) + 2
    return type === '!' ? new Said(content) : type === '=' ? content.slice(4) : content
  }
  const all: unknown[] = []
  while (at < bytes.length) all.push(value())
  return all
}

/** The value that a line is, or that begins with it. */
function lineValue(type: string, text: string, many: (count: number) => unknown[]): unknown {
  switch (type) {
    case '+':
      return text
    case '-':
      return new Said(text)
    case ':':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
    case '(':
      return BigInt(text)
    case ',':
      return Number(text.replace('inf', 'Infinity'))
    case '#':
      return text === 't'
    case '_':
      return null
    case '~':
      return new Set(many(Number(text)))
    case '*':
      return many(Number(text))
    case '%':
      return new Map(Array.from({ length: Number(text) }, () => many(2) as [unknown, unknown]))
  }
  throw new Error(`a value begins with ${type}`)
}
