/**
 * Layer 9. ConsumerLink: the connection of a consumer to its peer: its state, the handshake, and
 * what waits. The consumer keeps it under the symbol LINK.
 *
 * Call order: connect (or begin, of a server's peer) → on_handshake → on_connect →
 * consumer_connected → what was received → consumer_closed → on_close.
 *
 * Rules:
 * 1. Nothing is worked on before on_connect and the receivers of consumer_connected are done. What
 *    comes meanwhile waits, unread.
 * 2. What a hook throws goes to on_error, and ends nothing. The exception is on_handshake: if it
 *    throws, the peer is refused. What on_error throws is logged.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { attempt, isPromiseLike } from '../../core/promises.ts'
import { DRIVE, type Engine, logSafely } from '../../engine.ts'
import { asError, ClosedError, messageOf, OverflowError, ReadError } from '../../errors.ts'
import { Control, type Message as ChannelMessage, STATES } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { MESSAGE_LIFE } from '../../messages/message-life.ts'
import type { CloseReason, State } from '../../types.ts'
import type { Envelope } from '../envelope.ts'
import { ErrorMessage } from '../error-message.ts'
import type { Layer, LayerMember } from '../layers/layer.ts'
import { get_layer } from '../layers/layer-table.ts'
import { consumer_closed, consumer_connected } from '../signals/message-signals.ts'
import type { Handshake } from './handshake.ts'
import { PendingRequests } from './pending-requests.ts'
import { ChannelPort, type Port } from './port.ts'
import { type Receiver, Receiving } from './receiving.ts'
import { TextOutbox } from './text-outbox.ts'

/** The link of a consumer, for other files of sluice. */
export const LINK: unique symbol = Symbol('sluice.link')

/** The part of a consumer that is used here. */
export interface Linked extends Receiver, LayerMember {
  readonly outgoing: Envelope<any>
  readonly internal: Envelope<any>
  readonly allow_unauthenticated: boolean
  on_handshake(handshake: Handshake): unknown
  on_connect(): unknown
  on_close(reason: CloseReason): unknown
}

/** The codes of WebSocket that a peer is closed with. */
const REFUSED = 1008
const OVERLOADED = 1013

/** What is known about the other side of a channel that has only one. */
const NOBODY: Handshake = { address: '', headers: {}, query: new URLSearchParams() }

export class ConsumerLink {
  state: State = 'closed'
  engine: Engine | undefined
  opened: Deferred<unknown> = silent()
  closed: Deferred<CloseReason> = deferred()
  outbox: TextOutbox | undefined
  requests: PendingRequests | undefined
  receiving: Receiving | undefined
  readonly #consumer: Linked
  #port: Port | undefined
  #channel: MessageChannel | undefined
  /** What was received before the consumer was ready; undefined once it is. */
  #early: (Buffer | string)[] | undefined
  /** The layers through which other parts of the program reach it. */
  #layers: Layer[] = []
  #isTold = false
  /** Has the handshake begun? */
  #hasPeer = false
  #hasBinary = false
  #reason: CloseReason = 'remote'
  #code: number | undefined
  /** The error of its channel. */
  #error: Error | undefined

  constructor(consumer: Linked) {
    this.#consumer = consumer
  }

  /** May something be sent? Also during the handshake, which may say why it refuses. */
  get isConnected(): boolean {
    return this.state === 'active' || (this.state === 'opening' && this.#hasPeer)
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A channel with one peer. */
  connect(channel: MessageChannel): void {
    this.#channel = channel
    this.#prepare(channel.engine, new ChannelPort(channel))
    channel.callback_add(this.#changed, 'state')
    const { callbacks } = channel[MESSAGE_LIFE].outlet
    callbacks.add(this.#arrived, ['data', 'control'], text => this.received(text))
    if (channel.state === 'closed') channel.open()
    else if (channel.state === 'active') this.#begin(NOBODY)
  }

  /** One peer of a server. */
  begin(engine: Engine, port: Port, handshake: Handshake): void {
    this.#prepare(engine, port)
    this.#begin(handshake)
  }

  #prepare(engine: Engine, port: Port): void {
    this.state = 'opening'
    this.engine = engine
    this.opened = silent()
    this.closed = deferred()
    this.outbox = new TextOutbox(port, this.#consumer)
    this.requests = new PendingRequests(engine, this.tell)
    this.receiving = new Receiving(this.#consumer, this.requests, this.tell)
    this.#port = port
    this.#early = []
    this.#isTold = this.#hasBinary = this.#hasPeer = false
    this.#reason = 'remote'
    this.#code = this.#error = undefined
  }

  readonly #changed = ({ msgid }: ChannelMessage): void => {
    const channel = this.#channel as MessageChannel
    const state = STATES[msgid]
    if (state === 'active' && this.state === 'opening') this.#begin(NOBODY)
    if (state === 'error') {
      this.#reason = 'error'
      this.#error = channel.error as Error
      this.tell(this.#error)
      channel.close()
    }
    if (state === 'closed') this.ended(this.reason)
  }

  readonly #arrived = (message: ChannelMessage): Promise<void> | undefined => {
    if (message.type === 'data') return this.arrived(message)
    if (message.msgid === Control.WriteReady) this.flush()
    return undefined
  }

  #begin(handshake: Handshake): void {
    this.#hasPeer = true
    try {
      const result = this.#consumer.on_handshake(handshake)
      if (!isPromiseLike(result)) return this.#decided(result)
      Promise.resolve(result)
        .then(decided => this.#decided(decided))
        .catch((error: unknown) => this.#refuse(error))
    } catch (error) {
      this.#refuse(error)
    }
  }

  #decided(result: unknown): void {
    if (this.state !== 'opening') return
    const consumer = this.#consumer
    if (result === false || (consumer.user_pk === null && !consumer.allow_unauthenticated))
      return this.#refuse(undefined)
    // An unknown layer throws here, and refuses the peer.
    this.#layers = layersOf(consumer)
    this.state = 'active'
    for (const layer of this.#layers) layer.add(consumer).catch(this.tell)
    this.opened.resolve(consumer)
    void this.#guarded(async () => {
      await consumer.on_connect()
      this.#isTold = true
      await consumer_connected.send(consumer.constructor, { consumer })
    }).then(() => this.#ready())
  }

  /** What has come meanwhile is received now. */
  #ready(): void {
    const early = this.#early as (Buffer | string)[]
    // A message may arrive while another one is being received: it comes after it.
    for (let index = 0; index < early.length; index++) this.#take(early[index] as Buffer | string)
    this.#early = undefined
  }

  #refuse(error: unknown): void {
    if (this.state !== 'opening') return
    if (error instanceof ErrorMessage) this.#consumer.send_error(error)
    else if (error !== undefined) this.tell(error)
    this.close(REFUSED)
  }

  /** Calls a hook. What it throws goes to on_error. Never rejects. */
  async #guarded(task: () => unknown): Promise<void> {
    try {
      await task()
    } catch (error) {
      this.tell(error)
    }
  }

  /** Tells the program what went wrong. What its on_error throws is logged. */
  readonly tell = (thrown: unknown): void => {
    const failed = (fault: unknown): void =>
      logSafely(this.engine as Engine, `on_error of a consumer: ${messageOf(fault)}`, fault)
    attempt(() => this.#consumer.on_error(asError(thrown)), failed)
  }

  // ---- open -------------------------------------------------------------------------------------

  /**
   * A data message of the channel. A binary one of WebSocket cannot be an envelope: it is dropped,
   * and on_error is told of the first.
   */
  arrived({ data, value }: ChannelMessage): Promise<void> | undefined {
    if (value !== 'binary') return this.received(data)
    if (!this.#hasBinary) this.tell(new ReadError('ERR_FRAME', 'binary messages are dropped'))
    this.#hasBinary = true
    return undefined
  }

  /** Returns a promise if nothing more should be received until it settles. */
  received(data: Buffer | string): Promise<void> | undefined {
    if (this.#early === undefined) return this.#take(data)
    const { queue_limit } = this.#consumer
    if (this.#early.push(data) <= queue_limit) return undefined
    const what = `more than ${queue_limit} messages came before the handshake was done`
    this.tell(new OverflowError('receive', queue_limit, what))
    this.close(OVERLOADED)
    return undefined
  }

  #take(data: Buffer | string): Promise<void> | undefined {
    if (this.state !== 'active') return undefined
    const full = this.receiving?.received(data)
    return this.#port?.canWait === true ? full : undefined
  }

  /** Sends a text. Errors go to on_error. A peer that is too slow is closed. */
  send(text: string): boolean {
    try {
      this.outbox?.send(text)
      return this.outbox !== undefined
    } catch (error) {
      this.tell(error)
      if (error instanceof OverflowError) this.close(OVERLOADED)
      return false
    }
  }

  /** There is room for more to be sent. */
  flush(): void {
    try {
      this.outbox?.flush()
    } catch (error) {
      this.tell(error)
    }
  }

  // ---- closing ----------------------------------------------------------------------------------

  close(code: number): void {
    if (this.state !== 'active' && this.state !== 'opening') return
    this.state = 'closing'
    this.#reason = 'local'
    this.#code = code
    this.requests?.close('local')
    this.receiving?.work.clear()
    this.#port?.close(code)
  }

  /** The peer has gone, with a code if it gave one; or the channel has closed. */
  ended(reason: CloseReason, code = 0): void {
    if (this.state === 'closed') return
    const consumer = this.#consumer
    this.#channel?.callback_del(this.#changed)
    this.#channel?.callback_del(this.#arrived)
    this.#channel = undefined
    this.state = 'closed'
    for (const layer of this.#layers.splice(0)) layer.remove(consumer)
    this.requests?.close(reason)
    this.receiving?.work.clear()
    const early = 'it closed before the handshake was done'
    this.opened.reject(this.#error ?? new ClosedError(early, reason))
    const close_code = this.#code ?? (code === 0 ? undefined : code)
    void this.#guarded(async () => {
      if (this.#isTold) await consumer_closed.send(consumer.constructor, { consumer, close_code })
      await consumer.on_close(reason)
    }).then(() => this.closed.resolve(reason))
  }

  /** Why it closes. If the program does not close it, the engine or the peer does. */
  get reason(): CloseReason {
    const isDrain = this.#reason === 'remote' && this.engine?.[DRIVE].isStopping
    return isDrain === true ? 'drain' : this.#reason
  }
}

/** The layers of its envelopes. */
function layersOf({ outgoing, errors, internal }: Linked): Layer[] {
  const names = [outgoing, errors, internal].map(({ layer_name }) => layer_name)
  return [...new Set(names)].map(get_layer)
}

/** A promise that never becomes an unhandled rejection. */
function silent(): Deferred<unknown> {
  const made = deferred<unknown>()
  made.promise.catch(noop)
  return made
}
