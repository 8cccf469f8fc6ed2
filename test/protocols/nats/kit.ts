/** A server of NATS made by hand: it says what a test tells it to, and writes down what comes. */

import { Buffer } from 'node:buffer'
import { Connection, Server } from '../../../src/channels/basic.ts'
import { codeOf } from '../../../src/errors.ts'
import { NatsClient, type NatsClientOptions } from '../../../src/protocols/nats/client.ts'
import { NatsMessage } from '../../../src/protocols/nats/message.ts'
import type { NatsSubscription } from '../../../src/protocols/nats/subscription.ts'
import type { World } from '../../kit.ts'

export const INFO = {
  server_id: 'S',
  server_name: 'test',
  version: '2.9.10',
  headers: true,
  max_payload: 1_048_576,
}

/** One connection, as the server sees it. Payloads are lines here, so they must not have ends. */
export class Peer extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'
  declare readonly server: FakeServer
  readonly lines: string[] = []

  override on_connect(): void {
    this.server.peers.push(this)
    if (this.server.info !== undefined) this.say(`INFO ${JSON.stringify(this.server.info)} `)
  }

  override on_read(line: string): void {
    if (line === 'PING' && this.server.isPonging) this.say('PONG')
    if (line.startsWith('CONNECT') || line === 'PING' || line === 'PONG') this.login.push(line)
    else this.lines.push(line)
  }

  /** CONNECT, PING and PONG. */
  readonly login: string[] = []

  get connect_fields(): Record<string, unknown> {
    return JSON.parse(this.login[0]!.slice('CONNECT '.length))
  }

  say(...lines: string[]): void {
    for (const line of lines) this.write(`${line}\r\n`)
  }

  message(subject: string, sid: number, data = '', reply = ''): void {
    const to = reply === '' ? '' : `${reply} `
    this.say(`MSG ${subject} ${sid} ${to}${Buffer.byteLength(data)}`, data)
  }

  /** What has come since the last look. */
  get news(): string[] {
    return this.lines.splice(0)
  }

  override on_error(): void {
    this.close()
  }
}

export class FakeServer extends Server<Peer> {
  info: object | undefined = INFO
  isPonging = true
  readonly peers: Peer[] = []

  get last(): Peer {
    return this.peers.at(-1) as Peer
  }
}

export async function listen(world: World, port = 4222): Promise<FakeServer> {
  const server = new FakeServer(Peer, { engine: world.engine }).listen(port)
  await world.pump()
  return server
}

/** A client that writes down its hooks. */
export class Watched extends NatsClient {
  readonly news: string[] = []

  override on_connect(): void {
    this.news.push('connect')
  }

  override on_disconnect(error: Error): void {
    this.news.push(`disconnect ${codeOf(error)}`)
  }

  override on_connect_error(error: Error): void {
    this.news.push(`connect_error ${codeOf(error)}`)
  }

  override on_error(error: Error): void {
    this.news.push(`error ${codeOf(error) || error.message}`)
  }

  override on_slow(subscription: NatsSubscription): void {
    this.news.push(`slow ${subscription.subject}`)
  }

  override on_lame_duck(): void {
    this.news.push('lame duck')
  }

  override on_close(reason: string): void {
    this.news.push(`close ${reason}`)
  }
}

/** A client that is connected to a server. */
export async function join(
  world: World,
  options: NatsClientOptions = {},
): Promise<{ server: FakeServer; client: Watched }> {
  const server = await listen(world)
  const client = new Watched({ engine: world.engine, ...options }).connect()
  await world.pump()
  return { server, client }
}

/** A message as a server sends it. */
export function message(subject: string, data: string, sid = 1): NatsMessage {
  const bytes = Buffer.from(`${subject}\r\n${data}`)
  const start = Buffer.byteLength(subject) + 2
  const publisher = { publish: () => false }
  // prettier-ignore
  return new NatsMessage(
    publisher, sid, bytes, 0, start - 2, 0, 0, start, start, bytes.length,
  )
}
