/**
 * What the tests of rooms share: the sample server of the protocol, over any message channel, and
 * the URLs that it is tried with.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { Context } from '../../src/messages/context.ts'
import { type Addr, Control, type Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { Channel, type RoomNodeOptions } from '../../src/rooms/client/node-channel.ts'

/** The servers that clients are tried with, by the name of the transport. */
export const TRANSPORTS: Readonly<Record<string, (folder: string) => string>> = {
  ws: () => 'ws://127.0.0.1:0/rooms;mode=server',
  tcp: () => 'tcp://127.0.0.1:0;mode=server;frame=line',
  unix: folder => `unix://${join(folder, 'rooms')};mode=server;frame=size32`,
  mem: () => 'mem://;mode=server;name=rooms',
}

/** Speaks the sample protocol, with rooms and without anything more. */
export class SampleServer {
  readonly #context: Context
  #url: string
  #channel!: MessageChannel
  readonly #rooms = new Map<string, Set<Addr>>()
  readonly peers = new Set<Addr>()
  /** What clients have sent, as text. */
  readonly got: string[] = []
  /** The URL of a client. */
  url = ''

  constructor(context: Context, url: string) {
    this.#context = context
    this.#url = url
  }

  async start(): Promise<this> {
    this.#channel = this.#context.init(this.#url)
    this.#channel.on_control = message => this.#controlled(message)
    this.#channel.on_message = message => this.#received(message)
    await this.#channel.open().opened
    this.url = clientUrl(this.#channel.client_url as string)
    // When it starts again, it has the same port.
    this.#url = this.#url.replace(/127\.0\.0\.1:0/, /127\.0\.0\.1:\d+/.exec(this.url)?.[0] ?? '')
    return this
  }

  /** Everything ends at once, as when the process is killed. */
  stop(): void {
    this.peers.clear()
    this.#rooms.clear()
    this.#channel.destroy()
  }

  /** Sends each peer away, politely. */
  kick(): void {
    for (const addr of this.peers)
      this.#channel.post({ type: 'control', msgid: Control.Disconnect, addr })
  }

  /** Sends to all peers. */
  tell(data: string | Uint8Array): void {
    for (const addr of this.peers) this.#channel.post({ data, addr })
  }

  #controlled({ msgid, addr }: Message): void {
    if (msgid === Control.Connect) this.peers.add(addr as Addr)
    if (msgid !== Control.Disconnect) return
    this.peers.delete(addr as Addr)
    for (const members of this.#rooms.values()) members.delete(addr as Addr)
  }

  #received({ data, addr }: Message): void {
    const text = String(data)
    this.got.push(text)
    const answer = (value: unknown): boolean =>
      this.#channel.post({ data: JSON.stringify(value), addr })
    let message: any
    try {
      message = JSON.parse(text)
    } catch {
      this.#channel.post({ data: `Echo: ${text}`, addr })
      return
    }
    if (message?.type === '_join') {
      const { room } = message
      if (!this.#rooms.has(room)) this.#rooms.set(room, new Set())
      this.#rooms.get(room)!.add(addr as Addr)
      answer({ status: 'joined', room })
    } else if (message?.type === '_leave') {
      this.#rooms.get(message.room)?.delete(addr as Addr)
      answer({ status: 'left', room: message.room })
    } else if (message !== null && Object.hasOwn(Object(message), '_room')) {
      for (const member of this.#rooms.get(message._room) ?? [])
        if (member !== addr) this.#channel.post({ data: JSON.stringify(message), addr: member })
    } else answer({ echo: message })
  }
}

/** Without parameters, `ws:` is a URL as browsers have it. */
function clientUrl(url: string): string {
  return url.startsWith('ws:') ? url.replace(/;.*/, '') : url
}

export interface Place {
  readonly engine: Engine
  readonly context: Context
  readonly server: SampleServer
  /** What the engine has logged. */
  readonly logged: string[]
  channel(options?: RoomNodeOptions): Channel
}

/** A subtest for each transport, with a sample server. At its end nothing may be left. */
export function overAll(
  t: Test,
  title: string,
  body: (t: Test, place: Place) => Promise<void>,
): Promise<unknown> {
  return Promise.all(
    Object.entries(TRANSPORTS).map(([name, urlOf]) =>
      t.test(`${title}: ${name}`, async t => {
        const folder = mkdtempSync(join(tmpdir(), 'sluice-rooms-'))
        const logged: string[] = []
        const engine = new Engine({ log: message => logged.push(message) })
        const context = new Context({ engine })
        const server = await new SampleServer(context, urlOf(folder)).start()
        const channels: Channel[] = []
        const channel = (options: RoomNodeOptions = {}): Channel => {
          const made = new Channel(server.url, { engine, context, ...options })
          channels.push(made)
          return made
        }
        try {
          await body(t, { engine, context, server, logged, channel })
        } finally {
          await Promise.all(channels.map(each => each.close()))
          server.stop()
          await engine.stop({ timeout: 1000 })
          rmSync(folder, { recursive: true, force: true })
        }
        t.same([engine.channels.size, logged], [0, []], 'nothing is left, and nothing logged')
      }),
    ),
  )
}

/** The next message of a channel, or of a room of it, that the test has not taken yet. */
export class Inbox {
  readonly #got: unknown[] = []
  #wake: (() => void) | undefined

  constructor(channel: Channel, room?: string) {
    const take = (message: unknown): void => {
      this.#got.push(message)
      this.#wake?.()
    }
    if (room === undefined) channel.on_message(take)
    else channel.on_room_message(room, take)
  }

  /** How many have come that nobody took. */
  get size(): number {
    return this.#got.length
  }

  async next(): Promise<any> {
    while (this.#got.length === 0) await new Promise<void>(resolve => (this.#wake = resolve))
    return this.#got.shift()
  }
}
