/** Frames made by hand, for the tests of what reads them. */

import { Buffer } from 'node:buffer'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import type { Stream } from '../../../src/channels/streams/stream.ts'
import type { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { acceptOf } from '../../../src/protocols/websocket/handshake-text.ts'
import {
  WebSocketServer,
  type WebSocketServerOptions,
} from '../../../src/protocols/websocket/server.ts'
import type { World } from '../../kit.ts'

export interface FrameOptions {
  readonly fin?: boolean
  readonly rsv?: number
  readonly opcode?: number
  /** Four bytes; undefined: not masked. */
  readonly key?: readonly number[] | undefined
  /** The bytes that say the length; the shortest form unless given. */
  readonly form?: 1 | 3 | 9
}

/** A frame, as the RFC draws it. */
export function frame(
  payload: string | Uint8Array,
  {
    fin = true,
    rsv = 0,
    opcode = typeof payload === 'string' ? 1 : 2,
    key,
    form,
  }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload as string)
  const { length } = bytes
  const size = form ?? (length < 126 ? 1 : length < 65536 ? 3 : 9)
  const bit = key === undefined ? 0 : 0x80
  const head = Buffer.alloc(1 + size)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = bit | (size === 1 ? length : size === 3 ? 126 : 127)
  if (size === 3) head.writeUInt16BE(length, 2)
  if (size === 9) head.writeBigUInt64BE(BigInt(length), 2)
  if (key === undefined) return Buffer.concat([head, bytes])
  return Buffer.concat([head, Buffer.from(key), bytes.map((byte, i) => byte ^ key[i % 4]!)])
}

export const KEY = [0x37, 0xfa, 0x21, 0x3d]

/** A frame of a client. */
export function masked(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  return frame(payload, { key: KEY, ...options })
}

/** A close frame of a client; or of a server, if `key` is null. */
export function closing(code?: number, reason = '', key: readonly number[] | null = KEY): Buffer {
  const text = Buffer.from(reason)
  const head = code === undefined ? [] : [code >> 8, code & 255]
  return frame(Buffer.concat([Buffer.from(head), text]), {
    opcode: 8,
    key: key ?? undefined,
  })
}

// ---- peers that speak byte by byte --------------------------------------------------------------

/** A request of a client, with some fields changed; undefined leaves one out. */
export function request(
  changes: Record<string, string | undefined> = {},
  line = 'GET / HTTP/1.1',
): string {
  const fields: Record<string, string | undefined> = {
    Host: 'here',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, value]) =>
    value === undefined ? '' : `${name}: ${value}\r\n`,
  )
  return `${line}\r\n${lines.join('')}\r\n`
}

/** The response to it, with nothing chosen. */
export const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

/** Keeps what comes, and never ends by itself. */
class Raw {
  got = Buffer.alloc(0)
  hasEnded = false

  /** What has come since the last call. */
  get news(): string {
    const news = this.got.toString('latin1')
    this.got = Buffer.alloc(0)
    return news
  }
}

export class RawClient extends Client {
  readonly raw = new Raw()
  override on_read(chunk: Buffer): void {
    this.raw.got = Buffer.concat([this.raw.got, chunk])
  }
  override on_read_end(): void {
    this.raw.hasEnded = true
  }
  override on_error(): void {}
}

export class RawConnection extends Connection {
  readonly raw = new Raw()
  override on_read(chunk: Buffer): void {
    this.raw.got = Buffer.concat([this.raw.got, chunk])
  }
  override on_read_end(): void {
    this.raw.hasEnded = true
  }
  override on_error(): void {}
}

/** A connection of a server, and a raw peer of it. */
export interface Served<Of> {
  readonly peer: RawClient
  readonly server: WebSocketServer
  /** The connection of the peer. */
  readonly channel: Of
  /** All connections that there ever were. */
  readonly channels: Of[]
}

/** A server in a world, and a raw peer that has connected, and has sent `bytes`. */
export async function serve<Of extends WebSocketConnection>(
  { engine, pump }: World,
  ChannelClass: new (options: any) => Of,
  options: WebSocketServerOptions = {},
  bytes = request(),
): Promise<Served<Of>> {
  const channels: Of[] = []
  class Seen extends (ChannelClass as new (options: any) => WebSocketConnection) {
    constructor(options: object) {
      super(options)
      channels.push(this as unknown as Of)
    }
  }
  const server = new WebSocketServer(Seen, { engine, ...options }).listen(1)
  await pump()
  const peer = await dial({ engine, pump }, bytes)
  return { peer, server, channel: channels[0] as Of, channels }
}

/** Another peer. */
export async function dial(
  { engine, pump }: Pick<World, 'engine' | 'pump'>,
  bytes = request(),
): Promise<RawClient> {
  const peer = new RawClient({ engine }).connect(1)
  await pump()
  peer.write(Buffer.from(bytes, 'latin1'))
  await pump()
  return peer
}

/** A raw server in a world, which answers nothing by itself. */
export async function listen({ engine, pump }: World): Promise<{ peers: RawConnection[] }> {
  const peers: RawConnection[] = []
  class Peer extends RawConnection {
    override on_connect(): void {
      peers.push(this)
    }
  }
  new Server(Peer, { engine }).listen(1)
  await pump()
  return { peers }
}

/** The response that a client accepts, from what it has asked. */
export function answerTo(asked: string, more = ''): string {
  const key = /Sec-WebSocket-Key: (.*)\r/.exec(asked)![1]!
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n${more}\r\n`
  )
}

/** What has happened. */
export interface Noted {
  note(line: string): void
  /** What has happened since the last call. */
  readonly news: string[]
}

/** Writes down every hook that matters here. */
export function watched<Of extends Stream>(
  BaseClass: new (...args: any[]) => Of,
): new (...args: any[]) => Of & Noted {
  class Watched extends (BaseClass as new (...args: any[]) => any) {
    note(line: string): void {
      ;(this['log'] ??= []).push(line)
    }
    get news(): string[] {
      return (this['log'] ?? []).splice(0)
    }
    on_connect(): void {
      this.note(`connect ${this['protocol']}`.trim())
    }
    on_message(data: string | Buffer): unknown {
      this.note(typeof data === 'string' ? `text ${data}` : `bytes ${data.toString('latin1')}`)
      return undefined
    }
    on_ping(data: Buffer): void {
      this.note(`ping ${data}`)
    }
    on_pong(data: Buffer): void {
      this.note(`pong ${data}`)
    }
    on_close(reason: string): void {
      this.note(`close ${reason} ${this['close_code']} ${this['close_reason']}`.trim())
    }
    on_connect_error(error: Error): void {
      this.note(`connect_error ${error.message}`)
    }
    on_read_error(error: Error): void {
      this.note(`read_error ${error.message}`)
    }
    on_overflow_error(error: Error): void {
      this.note(`overflow_error ${error.message}`)
    }
    on_error(error: Error): void {
      this.note(`error ${error.message}`)
      super.on_error(error)
    }
  }
  return Watched as unknown as new (...args: any[]) => Of & Noted
}
