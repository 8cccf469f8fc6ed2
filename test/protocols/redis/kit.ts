/** A server for the tests of the client: it logs in, and answers as a test says. */

import { Connection, Server } from '../../../src/channels/basic.ts'
import { RedisClient } from '../../../src/protocols/redis/client.ts'
import type { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { Reply } from '../../../src/protocols/redis/reply.ts'
import { Replies } from '../../../src/protocols/redis/reply-parser.ts'
import { type RedisOptions, type Target, targetOf } from '../../../src/protocols/redis/target.ts'
import type { World } from '../../kit.ts'

/** What a server says to a command; undefined: nothing. */
export type Answer = (words: string[], peer: Peer) => string | undefined

/** A string of RESP. */
export function blob(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

/** An array of RESP, or with another type a push. */
export function list(parts: readonly (string | number)[], type = '*'): string {
  const shown = parts.map(part => (typeof part === 'number' ? `:${part}\r\n` : blob(part)))
  return `${type}${parts.length}\r\n${shown.join('')}`
}

const OK = '+OK\r\n'

/** What a server does by itself. */
const USUAL: Readonly<Record<string, string>> = {
  HELLO: `%2\r\n${blob('server')}${blob('redis')}${blob('proto')}:3\r\n`,
  AUTH: OK,
  // Before Redis 7.2.
  CLIENT: "-ERR unknown subcommand 'SETINFO'\r\n",
  SELECT: OK,
  PING: '+PONG\r\n',
}

/** One connection. A command is an array of strings, so the client's own codec reads it. */
export class Peer extends Connection<Replies> {
  override read_delimiter = new Replies()
  override buffer_size = 1e6
  /** The commands that came. */
  readonly commands: string[][] = []

  override on_read(value: unknown): void {
    if (value === undefined) return
    const words = value as string[]
    this.commands.push(words)
    const { answer } = this.server as unknown as FakeRedis
    const text = answer(words, this) ?? USUAL[words[0]!.toUpperCase()]
    if (text !== undefined && text !== '') this.write(text)
  }

  /** The commands behind the login, one line each. */
  get news(): string[] {
    const news = this.commands.map(words => words.join(' '))
    return news.slice(news.lastIndexOf('PING') + 1)
  }
}

export class FakeRedis extends Server<Peer> {
  answer: Answer = () => undefined
  /** All connections that were made. */
  readonly peers: Peer[] = []

  override on_accept(...args: Parameters<Server['on_accept']>): void {
    super.on_accept(...args)
  }
}

/** Listens on port 1. */
export async function serve(
  { engine, pump }: World,
  answer: Answer = () => undefined,
): Promise<FakeRedis> {
  const peers: Peer[] = []
  class Known extends Peer {
    override on_connect(): void {
      peers.push(this)
    }
  }
  const server = new FakeRedis(Known, { engine })
  server.answer = answer
  ;(server as { peers: Peer[] }).peers = peers
  server.listen(1)
  await pump()
  return server
}

/** A client that keeps what its hooks got. */
export class Told extends RedisClient {
  readonly told: string[] = []
  override on_connect(): void {
    this.told.push('connect')
  }
  override on_disconnect({ code }: RedisError): void {
    this.told.push(`disconnect ${code}`)
  }
  override on_error(error: Error): void {
    this.told.push(`error ${error.message}`)
  }
  override on_push(kind: string, data: readonly Reply[]): unknown {
    this.told.push(`push ${kind} ${String(data)}`)
    return undefined
  }
  override on_close(reason: string): void {
    this.told.push(`close ${reason}`)
  }
}

/** A client that is connected. */
export async function connected(world: World, options: RedisOptions = {}): Promise<Told> {
  const client = new Told({
    engine: world.engine,
    reconnect: { random: () => 1, first: 100 },
    ...options,
  }).connect(1)
  await world.pump()
  return client
}

/** Where the server is. */
export function target(world: World, options: RedisOptions = {}): Target {
  return targetOf(1, {
    engine: world.engine,
    reconnect: { random: () => 1, first: 100 },
    ...options,
  })
}

/** What became of a promise: its value, or the code of its error; 'waits' as long as it does. */
export function outcome(promise: Promise<unknown>): { value: unknown } {
  const result: { value: unknown } = { value: 'waits' }
  promise.then(
    value => (result.value = value),
    error => (result.value = (error as RedisError).code),
  )
  return result
}
