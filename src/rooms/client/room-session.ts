/**
 * Layer 9. RoomSession: the client of a room server, in the order of its life. It has no input or
 * output: what it needs of the outside comes as a World.
 *
 *   connect → opened: joins, the queue, handlers → send, received … → closed → wait → connect …
 *
 * Rules:
 * 1. There is one link at most. What an old one still reports is ignored.
 * 2. On each connection this is sent first, in this order: a join for each room, what waits in the
 *    queue, what the handlers of 'open' send. No message overtakes another: if something waits in
 *    the queue, the next message goes to its end.
 * 3. The state changes before handlers are called, and is looked at again after them: a handler may
 *    connect or close.
 */

import { Backoff } from '../../core/backoff.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { codeOf, messageOf } from '../../errors.ts'
import type { Cancel } from '../../types.ts'
import { decode, encode, encodeFor, fieldsOf, type Reply, replyOf, roomOf } from '../wire.ts'
import type { Carrier, CarrierSink, World } from './carrier.ts'
import type { ChannelValues } from './channel-options.ts'
import { ChannelState } from './channel-state.ts'
import { type ChannelConnectionError, Faults, type MessageErrorDetails } from './errors.ts'
import { Handlers } from './handlers.ts'
import { Memberships } from './memberships.ts'
import { SendQueue } from './send-queue.ts'
import { createSignal } from './signal.ts'

const { CONNECTING, OPEN, CLOSING, CLOSED } = ChannelState

/** One connection, or the attempt to make one. */
interface Link {
  carrier?: Carrier
  wasOpen: boolean
  error?: ChannelConnectionError
  /** Why the server closes, where the transport has no codes. */
  goodbye?: { readonly code: number; readonly reason: string }
}

export class RoomSession {
  readonly #values: ChannelValues
  readonly #world: World
  readonly #backoff: Backoff
  readonly #faults: Faults
  readonly handlers: Handlers
  readonly queue: SendQueue
  readonly rooms: Memberships
  readonly state
  readonly #setState

  #link: Link | undefined
  /** What connect() and close() wait for. */
  #opening: Deferred<void> | undefined
  #closing: Deferred<void> | undefined
  /** Was connect() called, and close() not since? */
  #isStarted = false
  /** Does it connect again when the connection is lost? */
  #isKept = false
  /** Has the carrier said that there is no room? */
  #isFull = false
  /** Cancels the timeout of connecting or closing, or the wait before the next attempt. */
  #cancelTimer: Cancel = noop

  constructor(url: string, values: ChannelValues, world: World) {
    this.#values = values
    this.#world = world
    this.#backoff = new Backoff({
      first: values.reconnect_delay,
      longest: Math.max(values.reconnect_delay, values.max_reconnect_delay),
      lasting: values.lasting_time,
    })
    this.handlers = new Handlers(error => world.log(`${url}: ${messageOf(error)}`, error))
    this.queue = new SendQueue(values)
    ;[this.state, this.#setState] = createSignal<ChannelState>(CLOSED, error =>
      this.handlers.report(error),
    )
    this.#faults = new Faults(url, this.state)
    this.rooms = new Memberships(values.name, this.handlers, this.#faults)
  }

  // ---- connecting -------------------------------------------------------------------------------

  async connect(): Promise<void> {
    while (this.state() === CLOSING) await this.#closing?.promise
    if (this.state() === OPEN) return
    const opening = (this.#opening ??= deferred())
    if (this.state() === CLOSED) {
      this.#isStarted = true
      this.#backoff.reset()
      this.#begin()
    }
    await opening.promise
  }

  #begin(): void {
    const link: Link = { wasOpen: false }
    this.#link = link
    this.#setState(CONNECTING)
    this.#setTimer(this.#values.connect_timeout, () => this.#timedOut(link))
    try {
      link.carrier = this.#world.carrier(this.#sinkOf(link))
      link.carrier.open()
    } catch (error) {
      this.#failed(link, error)
      this.#closed(link)
    }
  }

  #sinkOf(link: Link): CarrierSink {
    const heard =
      <Args extends unknown[]>(report: (link: Link, ...args: Args) => void) =>
      (...args: Args): void => {
        if (link === this.#link) report.call(this, link, ...args)
      }
    return {
      opened: heard(this.#opened),
      received: heard(this.#received),
      drained: heard(this.#drained),
      failed: heard(this.#failed),
      closed: heard(this.#closed),
    }
  }

  #timedOut(link: Link): void {
    const { connect_timeout } = this.#values
    const what = `Failed to connect within connect_timeout, ${connect_timeout} ms`
    link.error = this.#faults.connection('ERR_TIMEOUT', what)
    link.carrier?.abort()
    this.#closed(link)
  }

  #opened(link: Link): void {
    // close() was called meanwhile.
    if (this.state() !== CONNECTING) return
    this.#cancelTimer()
    this.#backoff.opened(this.#world.now())
    link.wasOpen = true
    this.#isKept = this.#values.auto_reconnect
    this.#isFull = false
    this.#setState(OPEN)
    this.#opening?.resolve()
    this.#opening = undefined
    this.queue.begin(this.rooms.joins())
    this.#flush()
    // A handler that was told of a message that was dropped may have closed it.
    if (this.state() === OPEN) this.handlers.call('open')
  }

  // ---- rooms ------------------------------------------------------------------------------------

  /** The room is remembered in any case: it is joined as soon as the channel is open. */
  join(room: string, seq: number | undefined): void {
    if (!this.rooms.add(room, seq)) return
    if (this.#isUp) this.#command(this.rooms.joinOf(room))
    else this.#checkMayWait({ room })
  }

  /** Without a connection there is nothing to be sent: its end has ended the membership. */
  leave(room: string): void {
    if (!this.rooms.delete(room)) return
    if (this.#isUp) this.#command(this.rooms.leaveOf(room))
    this.handlers.clearRooms(room)
  }

  // ---- sending ----------------------------------------------------------------------------------

  send(message: unknown, room?: string): void {
    const data = this.#encode(message, room)
    if (this.#mayGive) return this.#give(data, room)
    if (!this.#isUp) this.#checkMayWait({ room, unsent: data })
    const bound = this.queue.add(data, room, this.#world.now())
    if (bound === undefined) return
    const why = `the queue is full, ${bound} is ${this.#values[bound]}`
    throw this.#faults.unsent('ERR_OVERFLOW', why, { room, unsent: data })
  }

  #encode(message: unknown, room: string | undefined): string | Uint8Array {
    try {
      return room === undefined || room === '' ? encode(message) : encodeFor(room, message)
    } catch (cause) {
      throw this.#faults.unsent('ERR_INVALID_ARGUMENT', messageOf(cause), { room, cause })
    }
  }

  /** Throws unless a message may wait for the next connection. */
  #checkMayWait(details: MessageErrorDetails): void {
    const { auto_reconnect } = this.#values
    if (this.#isStarted && auto_reconnect && (this.#isKept || this.state() === CONNECTING)) return
    throw this.#faults.notOpen(this.#isStarted, auto_reconnect, details)
  }

  #command(data: string): void {
    if (this.#mayGive) this.#give(data)
    else this.queue.addCommand(data)
  }

  /** A connection that is being closed by the server is open until it has closed. */
  get #isUp(): boolean {
    return this.state() === OPEN && this.#link?.carrier?.isOpen === true
  }

  get #mayGive(): boolean {
    return this.#isUp && this.queue.isEmpty && !this.#isFull
  }

  #give(data: string | Uint8Array, room?: string): void {
    try {
      this.#isFull = !(this.#link?.carrier as Carrier).send(data)
    } catch (cause) {
      const details = { room, unsent: data, cause }
      throw this.#faults.unsent(codeOf(cause) || 'ERR_SEND', messageOf(cause), details)
    }
  }

  #drained(): void {
    this.#isFull = false
    this.#flush()
  }

  /** What cannot be sent does not keep the rest from being sent. */
  #flush(): void {
    this.#dropOld()
    while (this.#isUp && !this.#isFull) {
      const next = this.queue.take()
      if (next === undefined) return
      try {
        this.#give(next.data, next.room)
      } catch (error) {
        this.handlers.report(error)
      }
    }
  }

  #dropOld(): void {
    for (const { data, room } of this.queue.dropOld(this.#world.now()))
      this.handlers.report(this.#faults.expired(this.#values.max_queued_age, room, data))
  }

  // ---- receiving --------------------------------------------------------------------------------

  /** First the handlers of the room are called, then in any case those of `on_message`. */
  #received(link: Link, data: string | Uint8Array): void {
    const message = decode(data)
    const fields = fieldsOf(message)
    if (fields !== undefined) {
      const reply = replyOf(fields)
      if (reply !== undefined && !this.#replied(link, reply)) return
      const room = roomOf(fields)
      if (room !== undefined && !this.rooms.isNew(room, fields)) return
      const to = room ?? fields['room']
      if (typeof to === 'string') this.handlers.callRoom(to, message)
    }
    this.handlers.call('message', message)
  }

  /** Is the reply passed on as a message, too? One that has handlers of its own is not. */
  #replied(link: Link, reply: Reply): boolean {
    if (reply.status === 'closing') link.goodbye = reply
    else if (reply.status === 'dropped') this.handlers.report(this.#faults.dropped(reply))
    else this.rooms.replied(reply)
    return reply.status === 'joined' || reply.status === 'left'
  }

  // ---- losing the connection, and connecting again ----------------------------------------------

  #failed(link: Link, cause: unknown): void {
    const what = `${link.wasOpen ? 'Connection error' : 'Failed to connect'}: ${messageOf(cause)}`
    const advice = link.wasOpen ? 'the connection is lost' : undefined
    link.error ??= this.#faults.connection(codeOf(cause) || 'ERR_CONNECTION', what, advice, cause)
  }

  #closed(link: Link, carried = 1006, said = ''): void {
    const { code, reason } = link.goodbye ?? { code: carried, reason: said }
    const isAsked = this.state() === CLOSING
    const wasUnmade = this.state() === CONNECTING
    const [opening, closing] = [this.#opening, this.#closing]
    this.#link = this.#opening = this.#closing = undefined
    this.#cancelTimer()
    this.queue.dropCommands()
    this.#setState(CLOSED)
    if (wasUnmade) {
      const what = `Failed to connect: the connection was closed (${code} ${reason})`
      link.error ??= this.#faults.connection('ERR_CLOSED', what)
    }
    if (link.error !== undefined && !isAsked) {
      opening?.reject(link.error)
      this.handlers.report(link.error, opening !== undefined)
    }
    this.handlers.call('close', { code, reason, was_open: link.wasOpen })
    closing?.resolve()
    if (this.#isKept && this.state() === CLOSED) this.#wait(code, reason)
  }

  #wait(code: number, reason: string): void {
    this.#dropOld()
    if (this.#values.final_codes.includes(code))
      return this.#giveUp(`the server closed with ${code} ${reason}, one of final_codes`)
    const delay = this.#backoff.next(this.#world.now())
    const attempt = this.#backoff.attempts
    const { max_reconnect_attempts } = this.#values
    if (attempt > (max_reconnect_attempts ?? Infinity))
      return this.#giveUp(`max_reconnect_attempts is ${max_reconnect_attempts}`)
    this.#setTimer(
      delay,
      () => this.#begin(),
      why => this.#giveUp(why),
    )
    this.handlers.call('reconnecting', { attempt, delay })
  }

  #giveUp(why: string): void {
    this.#isKept = false
    const what = `gave up: ${why}`
    this.handlers.report(this.#faults.connection('ERR_GAVE_UP', what, 'connect() tries again'))
  }

  // ---- closing ----------------------------------------------------------------------------------

  async close(code: number, reason: string): Promise<void> {
    this.#isStarted = this.#isKept = false
    const state = this.state()
    if (state === CLOSED) return this.#cancelTimer()
    if (state !== CLOSING) this.#beginClosing(this.#link as Link, code, reason)
    await this.#closing?.promise
  }

  #beginClosing(link: Link, code: number, reason: string): void {
    const what = 'Failed to connect: close() was called'
    this.#opening?.reject(this.#faults.connection('ERR_CLOSED', what, 'connect() tries again'))
    this.#opening = undefined
    this.#closing = deferred()
    this.#setState(CLOSING)
    this.#setTimer(this.#values.close_timeout, () => {
      link.carrier?.abort()
      this.#closed(link)
    })
    link.carrier?.close(code, reason)
  }

  // ---- helpers ----------------------------------------------------------------------------------

  #setTimer(delay: number, callback: () => void, stopped?: (why: string) => void): void {
    this.#cancelTimer()
    this.#cancelTimer = delay === Infinity ? noop : this.#world.after(delay, callback, stopped)
  }
}
