/**
 * Layer 8. `pub+child://`: one publisher, any number of subscribers. What the server posts goes to
 * all of them.
 *
 *     pub+tcp://*:5555;mode=server     the publisher: posts, with a seq that grows
 *     pub+tcp://host:5555              a subscriber: only receives
 *
 * A subscriber says hello (msgid 100) and gets the last seq (msgid 101); then come the messages
 * that are posted from now on. On the wire this is the original's.
 *
 * Rules:
 * 1. A subscriber whose queue is full (`send-buffer-size`, or `size` of mem) is disconnected with
 *    the next message, and on_error is told. The publisher never waits for one.
 * 2. A peer that sends anything but one hello is disconnected.
 */

import { Buffer } from 'node:buffer'
import { LIFE } from '../../channels/life.ts'
import { InvalidArgumentError, InvalidStateError, ReadError, WriteError } from '../../errors.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { Params } from '../params.ts'
import { checkUnlimited, hasConnections } from './below.ts'
import { Prefix } from './prefix.ts'

/** The `msgid` of what the two sides say before there is data. */
const HELLO = 100
const HELLO_REPLY = 101

/** The version in 2 bytes, and a pointer to the name of the subscriber, which is empty. */
const HELLO_DATA = Buffer.from('01000800000001000001', 'hex')
const VERSION = 1

/** Throws UrlError if what is below it cannot work. */
function checkBelow({ carries, carrier, params }: Prefix): void {
  if (!carries.msgid || !carries.seq)
    throw carrier.params.fault('frame', 'one that carries msgid and seq, such as std')
  if (!hasConnections(carrier)) throw params.url.protocol_fault('pub+ needs connections')
}

/** The publisher: `pub+child://;mode=server`. */
// Source: TLL `pub+tcp`, server.
export class PubServer extends Prefix {
  static override readonly protocol = 'pub-server+'

  readonly #subscribers = new Set<Addr>()
  #seq = -1n

  constructor(init: Init) {
    super(init)
    checkBelow(this)
    checkUnlimited(this)
  }

  /** `last-seq`: that of the last message before. Default: that of the last opening. */
  override do_open(params: Params): 'opening' {
    if (params.has('last-seq')) this.#seq = params.seq('last-seq')
    const { 'last-seq': _seq, ...rest } = params.values
    this.child.open(rest)
    return 'opening'
  }

  override get client_url(): string | undefined {
    const url = super.client_url
    return url === undefined ? undefined : `pub+${url}`
  }

  /** `seq`: that of the last message; -1 while there is none. `subscribers`: their number. */
  override get info(): Readonly<Record<string, unknown>> {
    return { ...super.info, seq: this.#seq, subscribers: this.#subscribers.size }
  }

  override child_data({ msgid, addr }: Message): undefined {
    if (msgid !== HELLO || addr === undefined || this.#subscribers.has(addr))
      throw new ReadError('ERR_PUB', `msgid ${msgid} came from a subscriber, and no hello`)
    const data = Buffer.alloc(10)
    data.writeUInt16LE(VERSION)
    data.writeBigInt64LE(this.#seq, 2)
    this.child.post({ msgid: HELLO_REPLY, data, addr })
    this.#subscribers.add(addr)
  }

  /** What is full for one subscriber is no affair of the program. */
  override child_control(message: Message): Promise<void> | undefined {
    const { msgid, addr } = message
    if (msgid === Control.Disconnect) {
      if (addr === undefined) this.#subscribers.clear()
      else this.#subscribers.delete(addr)
    }
    const isFullness = msgid === Control.WriteFull || msgid === Control.WriteReady
    return isFullness && addr !== undefined ? undefined : super.child_control(message)
  }

  /** Throws InvalidArgumentError unless its seq is greater than that of the last message. */
  override do_post(message: Message): boolean {
    if (message.type !== 'data') return super.do_post(message)
    const { seq } = message
    if (seq <= this.#seq)
      throw new InvalidArgumentError(
        'post: seq',
        `greater than the seq of the last message, ${this.#seq}`,
        seq,
      )
    this.#seq = seq
    for (const addr of this.#subscribers) {
      if (!this.child.post(new Message({ ...message, addr }))) this.#drop(addr)
    }
    return true
  }

  #drop(addr: Addr): void {
    this.#subscribers.delete(addr)
    this.child.post({ type: 'control', msgid: Control.Disconnect, addr })
    this[LIFE].call(
      'on_error',
      new WriteError('ERR_SLOW', `subscriber ${String(addr)} is too slow, and is disconnected`),
    )
  }

  override child_closed(): void | Promise<void> {
    this.#subscribers.clear()
    return super.child_closed()
  }
}

/** A subscriber: `pub+child://`. */
// Source: TLL `pub+tcp`, client.
export class PubClient extends Prefix {
  static override readonly protocol = 'pub-client+'

  #seq = -1n
  #isGreeted = false

  constructor(init: Init) {
    super(init)
    checkBelow(this)
  }

  /** `seq`: that of the last message; when it becomes active, that of the publisher. */
  override get info(): Readonly<Record<string, unknown>> {
    return { ...super.info, seq: this.#seq }
  }

  /** It is active when the publisher has answered. */
  override child_active(): void {
    this.#isGreeted = this.child.post({ msgid: HELLO, data: HELLO_DATA })
  }

  /** Others may have filled the queue of a mem server. Then hello is said when there is room. */
  override child_control(message: Message): Promise<void> | undefined {
    const { msgid } = message
    const isFullness = msgid === Control.WriteFull || msgid === Control.WriteReady
    if (!isFullness) return super.child_control(message)
    if (msgid === Control.WriteReady && !this.#isGreeted) this.child_active()
    return undefined
  }

  override child_data(message: Message): Promise<void> | undefined {
    const { msgid, seq, data } = message
    if (this.state !== 'opening') {
      this.#seq = seq
      return this.emit(message)
    }
    if (msgid !== HELLO_REPLY || data.length < 10 || data.readUInt16LE() !== VERSION)
      throw new ReadError('ERR_PUB', `msgid ${msgid} came from the publisher, and no hello`)
    this.#seq = data.readBigInt64LE(2)
    this.become_active()
    return undefined
  }

  override do_post(message: Message): boolean {
    if (message.type !== 'data') return super.do_post(message)
    throw new InvalidStateError('post()', 'a subscriber only receives', 'post to the publisher')
  }
}
