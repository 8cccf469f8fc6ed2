/**
 * Layer 5. Senders: the messages that the senders of a Datagram have begun and not finished. (Only
 * with a `read_delimiter`: without one each packet is a message.)
 *
 * The way of a packet: receive → the ReadPath of its sender → read → settle (keep or forget the
 * sender) → bound.
 *
 * Rules:
 * 1. Only senders with an unfinished message are in the table. A sender whose messages are whole
 *    costs nothing. An address that is never heard again, or was forged, leaves the table when
 *    others come.
 * 2. The table is in the order in which senders were last heard. If it is over a bound, the first
 *    sender is dropped, and the owner is told.
 * 3. One sender at a time is read. If its reads are held in the middle of a packet, it stays
 *    `#current` and goes on first.
 */

import type { Buffer } from 'node:buffer'
import { ReadPath, type ReadOwner, type ReadTarget } from '../../core/read-path.ts'
import { readSettings } from '../../core/reading/read-settings.ts'
import type { Bytes, SocketAddress } from '../../types.ts'
import type { PacketDropReason } from './datagram-error.ts'
import type { DatagramValues } from './datagram-settings.ts'

/** Gets the reads, and all reports. */
export interface SendersOwner {
  /** Must a read wait? */
  readonly isHeld: boolean
  /** Calls on_read. What the hook throws is not caught here. */
  read(data: unknown[], from: SocketAddress): unknown
  hookReturned(result: unknown): void
  hookFailed(error: unknown): void
  /**
   * A message is longer than the limit. If the hook changes no setting, what that sender has sent
   * is forgotten.
   */
  overflowed(limit: Bytes, size: Bytes | undefined, from: SocketAddress): void
  /** The delimiter threw. What that sender has sent is forgotten, too. */
  broken(error: unknown, from: SocketAddress): void
  /** A packet, or an unfinished message, was dropped. */
  dropped(reason: PacketDropReason, from: SocketAddress, bytes: Bytes): void
}

export class Senders {
  readonly #owner: SendersOwner
  #values: DatagramValues
  /** Counts the changes of settings; a sender is brought up to date when it is read. */
  #version = 0
  readonly #table = new Map<string, Sender>()
  #bytes: Bytes = 0
  /** The sender that is being read, or whose reads were held in the middle of a packet. */
  #current: Sender | undefined
  /** Senders to be looked at again, because a setting has changed. */
  #again: Sender[] = []
  /** The last sender that was forgotten, to be used again: most packets end with their message. */
  #spare: Sender | undefined

  constructor(owner: SendersOwner, values: DatagramValues) {
    this.#owner = owner
    this.#values = values
  }

  /** How many senders are in the table. */
  get size(): number {
    return this.#table.size
  }

  /** The bytes that they have sent and that are not delivered. */
  get bytes(): Bytes {
    return this.#bytes
  }

  // ---- reading ----------------------------------------------------------------------------------

  /** Reads one packet; not to be called while held, nor before `step` returned false. */
  receive(data: Buffer, from: SocketAddress): void {
    if (data.length === 0) {
      if (this.#values.whole_packets) this.#owner.dropped('incomplete', from, 0)
      return
    }
    const key = String(from)
    const sender = this.#table.get(key) ?? this.#spare ?? new Sender(this.#owner, this.#values)
    if (sender === this.#spare) this.#spare = undefined
    sender.key = key
    sender.address = from
    // Again the last one: it has been heard.
    this.#table.delete(key)
    this.#table.set(key, sender)
    this.#read(sender, data)
  }

  /**
   * Goes on with one sender that was held halfway or has to be looked at again. False: there is
   * none.
   */
  step(): boolean {
    const sender = this.#current ?? this.#again.shift()
    if (sender === undefined) return false
    if (this.#table.get(sender.key) === sender) this.#read(sender)
    return true
  }

  #read(sender: Sender, data?: Buffer): void {
    this.#current = sender
    sender.use(this.#values, this.#version)
    if (data === undefined) sender.path.release('promise')
    else sender.path.receive(data)
    if (this.#current === sender && this.#endsHere && !this.#owner.isHeld) sender.path.receiveEnd()
    this.#settle(sender)
  }

  /** Without a delimiter nothing can be waited for, not even the other half of a character. */
  get #endsHere(): boolean {
    return this.#values.read_delimiter === null || this.#values.whole_packets
  }

  #settle(sender: Sender): void {
    // A hook has closed the channel.
    if (this.#current !== sender) return
    const { bytes } = sender.path
    this.#bytes += bytes - sender.bytes
    sender.bytes = bytes
    const isOver = bytes === 0 || sender.path.isStuck
    if (isOver) this.#forget(sender)
    else if (this.#owner.isHeld) return
    this.#current = undefined
    if (!isOver && this.#values.whole_packets) this.#drop(sender, 'incomplete')
    this.#bound()
  }

  // ---- bounds -----------------------------------------------------------------------------------

  #bound(): void {
    for (let reason = this.#excess(); reason !== undefined; reason = this.#excess()) {
      this.#drop(this.#table.values().next().value as Sender, reason)
    }
  }

  #drop(sender: Sender, reason: PacketDropReason): void {
    const { address, bytes } = sender
    this.#forget(sender)
    this.#owner.dropped(reason, address, bytes)
  }

  #excess(): PacketDropReason | undefined {
    if (this.#table.size > this.#values.max_senders) return 'max_senders'
    return this.#bytes > this.#values.senders_buffer_size ? 'senders_buffer_size' : undefined
  }

  #forget(sender: Sender): void {
    this.#table.delete(sender.key)
    this.#bytes -= sender.bytes
    sender.reset()
    this.#spare = sender
  }

  // ---- what changes -----------------------------------------------------------------------------

  /**
   * Applies new settings: at once to the sender being read, to the others when they are next read.
   */
  use(values: DatagramValues): void {
    this.#values = values
    this.#version++
    this.#current?.use(values, this.#version)
  }

  /** Call this when the settings have changed: `step` looks at every sender again. */
  lookAgain(): void {
    this.#again = [...this.#table.values()]
    // The sender being read may be the oldest: then the bound is checked when it has been read.
    if (this.#current === undefined) this.#bound()
  }

  /** Holds the reads of the sender being read, until `step`. */
  hold(): void {
    this.#current?.path.hold('promise')
  }

  /** Ends `hold` from inside a hook. */
  release(): void {
    this.#current?.path.release('promise')
  }

  /** Forgets all senders. */
  reset(): void {
    // It may be running. Then its loop must find nothing more to do; it is not used again.
    this.#current?.path.hold('closed')
    this.#current = undefined
    this.#again = []
    this.#table.clear()
    this.#bytes = 0
  }
}

/** One sender. What its ReadPath reads and reports goes to the owner, with the address. */
class Sender implements ReadTarget, ReadOwner {
  key = ''
  address: SocketAddress = ''
  /** The bytes that it counts in the table. */
  bytes: Bytes = 0
  readonly path: ReadPath
  readonly #owner: SendersOwner
  #version = -1

  constructor(owner: SendersOwner, values: DatagramValues) {
    const { read_delimiter, encoding, regex_search, buffer_size } = values
    this.#owner = owner
    this.path = new ReadPath(
      this,
      this,
      read_delimiter,
      readSettings(encoding, regex_search),
      buffer_size,
    )
  }

  use(values: DatagramValues, version: number): void {
    if (version === this.#version) return
    this.#version = version
    this.path.use(
      values.read_delimiter,
      readSettings(values.encoding, values.regex_search),
      values.buffer_size,
    )
  }

  reset(): void {
    this.path.reset()
    this.bytes = 0
  }

  on_read(...data: unknown[]): any {
    return this.#owner.read(data, this.address)
  }

  hookReturned(result: unknown): void {
    this.#owner.hookReturned(result)
  }

  hookFailed(error: unknown): void {
    this.#owner.hookFailed(error)
  }

  overflowed(limit: Bytes, size: Bytes | undefined): void {
    this.#owner.overflowed(limit, size, this.address)
  }

  broken(error: unknown): void {
    this.#owner.broken(error, this.address)
  }

  // A packet socket cannot be paused. While reads are held, the owner keeps packets, or drops them.
  pause(): void {}
  resume(): void {}
  delivered(): void {}
}
