/** What tests of the room server share: servers and members in memory, a relay with troubles. */

import type { Engine } from '../../../src/engine.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import {
  type PresenceListener,
  type Relay,
  RelayError,
  type RelayHistory,
  type RelayListener,
  type SubscribeOptions,
} from '../../../src/relay/relay.ts'
import { RoomServer, type RoomServerOptions } from '../../../src/rooms/server/room-server.ts'
import type { Stage } from '../../messages/kit.ts'

/** A member that speaks by hand. */
export interface Peer {
  readonly channel: MessageChannel
  /** Sends each of these, and lets everything happen. */
  say(...messages: (string | object)[]): Promise<string[]>
  /** What it got since the last call. */
  news(): string[]
}

/** Opens a room server, over mem:// unless told. */
export async function serve(
  stage: Stage,
  options: RoomServerOptions & { hooks?: Partial<RoomServer>; url?: string } = {},
): Promise<{ server: RoomServer; enter: () => Promise<Peer> }> {
  const { hooks = {}, url = 'mem://', ...rest } = options
  const server = new RoomServer({ engine: stage.engine, context: stage.context, ...rest })
  Object.assign(server, hooks)
  server.listen(url)
  await stage.pump()
  return { server, enter: () => enter(stage, server) }
}

/** A member comes. */
export async function enter(stage: Stage, server: RoomServer): Promise<Peer> {
  const channel = stage.context.init(server.client_urls[0] as string).open()
  let got: string[] = []
  channel.on_message = ({ data }) => void got.push(String(data))
  await settle(stage)
  const news = (): string[] => {
    const before = got
    got = []
    return before
  }
  const say: Peer['say'] = async (...messages) => {
    for (const each of messages)
      channel.post(typeof each === 'string' ? each : JSON.stringify(each))
    await settle(stage)
    return news()
  }
  return { channel, say, news }
}

/** What one pump brings may be answered only in a later turn. */
async function settle({ pump }: Stage): Promise<void> {
  for (let i = 0; i < 3; i++) await pump()
}

export function join(room: string, more: object = {}): object {
  return { type: '_join', room, ...more }
}

/** The numbers in messages, and names that are made up, are other ones each time. */
export function plain(texts: readonly string[]): string[] {
  return texts.map(text =>
    text.replace(/"(_?seq|from|to)":\d+/g, '"$1":N').replace(/,"client":"[\w-]+"/, ''),
  )
}

/** A relay in memory whose server may be away, and whose connection may break in the middle. */
export class TroubledRelay implements Relay {
  readonly opened: Promise<void> = Promise.resolve()
  readonly inner: MemoryRelay
  isAway = false
  /** Calls that are made while it is away. */
  asked: string[] = []
  /** What `append` does: it stores; it stores, and rejects; it rejects with another error. */
  append_mode: 'store' | 'store and fail' | 'refuse' = 'store'
  readonly #gaps = new Map<string, () => void>()
  readonly #own = new Map<RelayListener, RelayListener>()

  constructor(engine: Engine, history = 1000) {
    this.inner = new MemoryRelay({ engine, history })
  }

  #check(what: string): void {
    if (!this.isAway) return
    this.asked.push(what)
    throw new RelayError('ERR_RELAY_UNAVAILABLE', 'the server is away')
  }

  publish(topic: string, data: string | Uint8Array): boolean {
    return !this.isAway && this.inner.publish(topic, data)
  }

  async append(topic: string, data: string | Uint8Array): Promise<number> {
    if (this.append_mode === 'refuse') throw new RelayError('ERR_RELAY_REFUSED', 'no memory')
    this.#check('append')
    const seq = await this.inner.append(topic, data)
    if (this.append_mode === 'store and fail') {
      this.isAway = true
      throw new RelayError('ERR_RELAY_UNAVAILABLE', 'the connection was lost')
    }
    return seq
  }

  async subscribe(
    topic: string,
    listener: RelayListener,
    { on_gap }: SubscribeOptions = {},
  ): Promise<void> {
    this.#check('subscribe')
    if (on_gap !== undefined) this.#gaps.set(topic, on_gap)
    // What is said while it is away does not arrive.
    const own: RelayListener = (bytes, seq) => {
      if (!this.isAway) listener(bytes, seq)
    }
    this.#own.set(listener, own)
    return this.inner.subscribe(topic, own)
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    this.inner.unsubscribe(topic, this.#own.get(listener) ?? listener)
  }

  async read_after(topic: string, seq: number, limit?: number): Promise<RelayHistory> {
    this.#check('read_after')
    return this.inner.read_after(topic, seq, limit)
  }

  async present(topic: string, member: string): Promise<void> {
    this.#check('present')
    return this.inner.present(topic, member)
  }

  async absent(topic: string, member: string): Promise<void> {
    this.#check('absent')
    return this.inner.absent(topic, member)
  }

  async watch(topic: string, listener: PresenceListener): Promise<void> {
    this.#check('watch')
    return this.inner.watch(topic, listener)
  }

  unwatch(topic: string, listener: PresenceListener): void {
    this.inner.unwatch(topic, listener)
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  /** The server is there again. */
  comeBack(): void {
    this.isAway = false
    for (const on_gap of this.#gaps.values()) on_gap()
  }
}
