/**
 * Layer 9. ChannelEntrance: lets members in by a message channel with `mode=server`, whatever
 * carries it.
 *
 * Rules:
 * 1. A promise of a hook is not given to the channel: it would hold the messages of all members.
 *    What comes meanwhile waits in the seat of its member.
 * 2. Only WebSocket has close codes. Elsewhere a member is told by a message why it is sent away.
 */

import { Message, Control, type Addr } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { postAll } from '../../messages/post-all.ts'
import type { Entrance, Link } from './entrance.ts'
import type { Origin, Seat } from './seat.ts'

/** What lets members in. */
export interface Reception {
  enter(origin: Origin): Seat | undefined
  failed(error: unknown): void
}

/** A channel whose peers are closed with a code. */
const WEBSOCKET = /(^|\+)wss?$/

const THE_END = [1001, 'the server ends'] as const

export class ChannelEntrance implements Entrance {
  readonly #channel: MessageChannel
  readonly #reception: Reception
  readonly #seats = new Map<Addr, Seat>()
  /** The members whose queues are full. */
  readonly #full = new Set<Addr>()
  readonly #hasCodes: boolean
  #isOpen = true

  constructor(channel: MessageChannel, reception: Reception) {
    this.#channel = channel
    this.#reception = reception
    this.#hasCodes = WEBSOCKET.test(channel.params.url.protocol)
    channel.callback_add(message => this.#heard(message), ['data', 'control'])
  }

  #heard({ type, msgid, addr, data }: Message): void {
    if (addr === undefined) return
    if (type === 'data') void this.#seats.get(addr)?.receive(data)
    else if (msgid === Control.Connect) this.#connected(addr, data.toString())
    else if (msgid === Control.WriteFull) this.#full.add(addr)
    else if (msgid === Control.WriteReady) this.#ready(addr)
    else if (msgid === Control.Disconnect) this.#gone(addr, data.toString())
  }

  #connected(addr: Addr, address: string): void {
    if (!this.#isOpen) return this.part(addr, ...THE_END)
    const seat = this.#reception.enter({ entrance: this, link: addr, address })
    if (seat !== undefined) this.#seats.set(addr, seat)
  }

  #ready(addr: Addr): void {
    this.#full.delete(addr)
    this.#seats.get(addr)?.ready()
  }

  #gone(addr: Addr, error: string): void {
    const seat = this.#seats.get(addr)
    this.#full.delete(addr)
    this.#seats.delete(addr)
    seat?.gone(error)
  }

  post(texts: readonly string[], links: Iterable<Link>): Link[] {
    try {
      const messages = texts.map(data => new Message({ data }))
      const refused = postAll(this.#channel, messages, links as Iterable<Addr>)
      // The others have gone, which will be reported.
      return refused.filter(addr => this.#full.has(addr))
    } catch (error) {
      // The message does not fit its frame. So no member is slow.
      this.#reception.failed(error)
      return []
    }
  }

  part(link: Link, code: number, reason: string): void {
    if (this.#channel.state !== 'active') return
    const addr = link as Addr
    this.#sayWhy([addr], code, reason)
    const why = this.#hasCodes ? { seq: BigInt(code), data: reason } : {}
    this.#channel.post({ type: 'control', msgid: Control.Disconnect, addr, ...why })
  }

  #sayWhy(addrs: Iterable<Addr>, code: number, reason: string): void {
    if (!this.#hasCodes) this.post([JSON.stringify({ status: 'closing', code, reason })], addrs)
  }

  shut(force: boolean): void {
    this.#isOpen = false
    if (!force) this.#sayWhy(this.#seats.keys(), ...THE_END)
    this.#channel.close(force)
  }
}
