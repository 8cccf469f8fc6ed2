/**
 * Layer 9. WebsocketChannel: a channel of packets over any message channel that a URL names.
 *
 * The way: open → #connect → #connected: alive → #ended → a wait of Backoff → #connect …
 *          → close, or the rules say that there is no hope: #giveUp.
 *
 * Rules:
 * 1. Each connection is a new message channel, made from the same URL: what is left of the last one
 *    cannot disturb it.
 * 2. Callbacks run in turns of their own, after what caused them: none runs inside `open` or
 *    `send`. What a callback throws goes to on_error.
 * 3. A packet that cannot be read is reported, and the connection goes on: one bad peer of a router
 *    does not cut off the others.
 */
// Source: Mephisto, `abstractions/architects/channels/websocket_channel.py`. Differs: is_alive is
// false while there is no connection.

import { Backoff } from '../../core/backoff.ts'
import { noop } from '../../core/noop.ts'
import { attempt } from '../../core/promises.ts'
import { Pause } from '../../core/time/pause.ts'
import { DRIVE, type Engine, logSafely } from '../../engine.ts'
import { asError, ClosedError, InvalidStateError, messageOf } from '../../errors.ts'
import { Control, type Message } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { PacketChannelError } from '../errors.ts'
import { Packet } from '../packet.ts'
import {
  type OnCatastrophicDisconnect,
  type OnChannelOpen,
  type OnMessage,
  PacketChannel,
} from './packet-channel.ts'
import { PacketHeartbeat } from './packet-heartbeat.ts'
import {
  type ChannelSettings,
  readOptions,
  type WebsocketChannelOptions,
} from './websocket-options.ts'

/** How long what was handed on before `close` may take to go out. */
const CLOSE_TIMEOUT: Milliseconds = 2000

/**
 * A channel of packets by URL: `ws://host:port/path`, `wss://`, `tcp://`, `unix://`, `mem://`, with
 * any prefix and parameter of message channels. It connects again by itself.
 *
 * @example
 * new WebsocketChannel('main', on_channel_open, on_catastrophic_disconnect, on_message, url)
 */
export class WebsocketChannel extends PacketChannel {
  /** The URL that it connects to. */
  readonly socket_url: string
  readonly #settings: ChannelSettings
  readonly #engine: Engine
  readonly #backoff: Backoff
  readonly #heartbeat: PacketHeartbeat
  #state: 'new' | 'connecting' | 'alive' | 'waiting' | 'closed' | 'lost' = 'new'
  #messages: MessageChannel | undefined
  #error: Error | undefined
  #isFull = false
  #retries = 0
  /** Ends the timeout of an attempt, or the wait for the next one. */
  #cancel: Cancel = noop
  /** Ends the time that it may be without a connection. */
  #cancelOutage: Cancel = noop

  /**
   * Opens nothing. Throws UrlError for an invalid URL, InvalidArgumentError for other arguments
   * that are invalid, and for an option that does not exist.
   */
  constructor(
    channel_id: string,
    on_channel_open: OnChannelOpen,
    on_catastrophic_disconnect: OnCatastrophicDisconnect,
    on_message: OnMessage,
    socket_url: string,
    options: WebsocketChannelOptions = {},
  ) {
    super(channel_id, on_channel_open, on_catastrophic_disconnect, on_message)
    this.#settings = readOptions(socket_url, options)
    const { url, context, backoff, heartbeat, packetSize } = this.#settings
    this.packet_size = packetSize
    this.socket_url = url
    this.#backoff = new Backoff(backoff)
    const trial = context.init(url)
    this.#engine = trial.engine
    trial.destroy()
    this.#heartbeat = new PacketHeartbeat(this.#engine, heartbeat, {
      ask: text => void this.#post(text),
      silent: error => this.#messages !== undefined && this.#fail(this.#messages, error),
    })
  }

  /** How often it has tried to connect again. */
  get retries(): number {
    return this.#retries
  }

  /** The last error of a connection or an attempt; undefined if there was none. */
  get error(): Error | undefined {
    return this.#error
  }

  override is_alive(): boolean {
    return this.#state === 'alive'
  }

  override is_closed(): boolean {
    return this.#state === 'closed' || this.#state === 'lost'
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Begins to connect, and goes on until it succeeds or the rules of `lost` say that there is no
   * hope. Throws InvalidStateError if it was opened or closed before.
   */
  override open(): void {
    if (this.#state !== 'new')
      throw new InvalidStateError('open()', `the channel is ${this.#state}`, 'make another one')
    this.#countOutage()
    this.#state = 'connecting'
    // Not inside this call: mem:// connects at once.
    this.#pause(0)
  }

  #countOutage(): void {
    const { maxOutage } = this.#settings.rules
    if (maxOutage === Infinity) return
    this.#cancelOutage = this.#engine[DRIVE].after(maxOutage, () =>
      this.#giveUp(this.#settings.rules.overdue(this.#error)),
    )
  }

  #connect(): void {
    this.#state = 'connecting'
    let messages: MessageChannel
    try {
      messages = this.#settings.context.init(this.socket_url, { is_internal: true })
    } catch (error) {
      // The URL is valid. The master of mem:// may be gone for a while.
      return this.#ended(new ClosedError(messageOf(error), 'error'))
    }
    this.#messages = messages
    this.#isFull = false
    this.#listenTo(messages)
    const { patience } = this.#settings
    const late = (): ClosedError => new ClosedError(`connecting took more than ${patience} ms`)
    this.#cancel = this.#engine[DRIVE].after(patience, () => this.#fail(messages, late()))
    messages.open()
  }

  #listenTo(messages: MessageChannel): void {
    messages.on_message = message => this.#received(message)
    messages.on_control = ({ msgid }) => this.#controlled(messages, msgid)
    messages.on_error = error => this.#fail(messages, error)
    messages.on_close = reason =>
      this.#fail(messages, new ClosedError(`the connection has closed (${reason})`, reason))
    messages.on_state = state => {
      if (state === 'active') this.#connected()
    }
  }

  #connected(): void {
    this.#cancel()
    this.#cancelOutage()
    this.#state = 'alive'
    this.#settings.rules.connected()
    this.#backoff.opened(this.#engine.now)
    this.#heartbeat.start()
    this.#call(() => this.on_channel_open(this.channel_id))
  }

  // ---- packets ----------------------------------------------------------------------------------

  /**
   * Hands a packet to the connection. Returns false if there is none, or if its queue is full;
   * `on_send_ready` is called when there is room again.
   */
  override send(packet: Packet): boolean {
    if (this.#state !== 'alive') return false
    let text: string
    try {
      text = packet.to_text()
    } catch (error) {
      this.#report(error)
      return false
    }
    return this.#post(text)
  }

  #post(text: string): boolean {
    // It is there while the channel is alive, but it may be closing.
    const messages = this.#messages as MessageChannel
    if (this.#isFull || messages.state !== 'active') return false
    try {
      return messages.post(text)
    } catch (error) {
      // Too large for the connection, for example.
      this.#report(error)
      return false
    }
  }

  #received({ data }: Message): void {
    this.#heartbeat.heard()
    if (this.#state !== 'alive') return
    let packet: Packet
    try {
      packet = Packet.from_text(data.toString())
    } catch (error) {
      return this.#report(error)
    }
    if (this.#heartbeat.isAnswer(packet)) return
    this.#call(() => this.on_message(this.channel_id, packet))
  }

  #controlled(messages: MessageChannel, msgid: number): void {
    if (msgid === Control.WriteFull) this.#isFull = true
    else if (msgid === Control.WriteReady) {
      this.#isFull = false
      if (this.#state === 'alive') this.#call(() => this.on_send_ready(this.channel_id))
    } else if (msgid === Control.Disconnect)
      // From mem://, whose peer has gone, and from reopen+.
      this.#fail(messages, new ClosedError('the peer has closed the connection', 'remote'))
  }

  // ---- the end of a connection, and of the channel ----------------------------------------------

  /** A connection or an attempt has ended. */
  #fail(messages: MessageChannel, error: Error): void {
    if (messages !== this.#messages) return
    this.#messages = undefined
    // Not inside its own hook.
    queueMicrotask(() => messages.destroy())
    this.#ended(error)
  }

  #ended(error: Error): void {
    this.#cancel()
    this.#heartbeat.stop()
    const wasAlive = this.#state === 'alive'
    this.#error = error
    this.#report(error)
    if (this.is_closed()) return
    if (wasAlive) this.#countOutage()
    const hopeless = wasAlive ? undefined : this.#settings.rules.failed(error)
    if (hopeless !== undefined) return this.#giveUp(hopeless)
    this.#state = 'waiting'
    this.#retries++
    const wait = this.#backoff.next(this.#engine.now)
    this.#pause(wait)
  }

  /** Waits, then connects. If the engine stops meanwhile, the channel is lost. */
  #pause(wait: Milliseconds): void {
    const stopped = (): void =>
      this.#giveUp(new PacketChannelError('ERR_CLOSED', 'the channel is lost: the engine stops'))
    const pause = new Pause(this.#engine[DRIVE], wait, () => this.#connect(), stopped)
    this.#cancel = () => pause.cancel()
  }

  #giveUp(error: Error): void {
    this.#error = error
    this.#release()
    this.#state = 'lost'
    const turn = (): void => {
      // It may have been closed meanwhile.
      if (this.#state !== 'lost') return
      this.#call(() => this.on_catastrophic_disconnect(this.channel_id, error))
    }
    this.#engine[DRIVE].wake({ turn })
  }

  /**
   * Closes the channel for ever. No callback follows. What was handed on before has two seconds to
   * go out.
   */
  override close(): void {
    if (this.#state === 'closed') return
    this.#release()
    this.#state = 'closed'
  }

  #release(): void {
    const messages = this.#messages
    this.#messages = undefined
    this.#cancel()
    this.#cancelOutage()
    this.#heartbeat.stop()
    if (messages === undefined) return
    messages.on_error = noop
    // Politely: what was handed on is sent. It is forgotten when that is done.
    if (messages.state !== 'active') return messages.destroy()
    messages.close()
    const cancel = this.#engine[DRIVE].after(CLOSE_TIMEOUT, () => messages.destroy())
    void messages.closed.then(() => {
      cancel()
      messages.destroy()
    })
  }

  #call(callback: () => void): void {
    attempt(callback, error => this.#report(error))
  }

  #report(thrown: unknown): void {
    const error = asError(thrown)
    const log = (fault: unknown): void =>
      logSafely(this.#engine, `${this.channel_id}: ${messageOf(fault)}`, fault)
    const { onError = (_, fault) => log(fault) } = this.#settings
    attempt(() => onError(this.channel_id, error), log)
  }
}
