/**
 * Layer 5. StreamLink: what connects one Stream with one transport after the other, and the life of
 * each connection. Everything is reported to it.
 *
 * The way of a byte in:  transport → received → stream-reading.ts → on_read
 * The way of a byte out: stream-writing.ts → transport
 *
 * Its methods stand in the order of a life: attach → opened → (startTls →) received, drained →
 * (halfClose →) ended → end → failed → abort → closed.
 *
 * Rules:
 * 1. After every hook the state is looked at again: the hook may have closed the stream.
 * 2. Closing politely: what is queued goes out, our side ends, and what still comes is read and
 *    dropped until the peer ends, too. (Closing a socket that has unread bytes resets it, and the
 *    peer could lose our last ones.)
 * 3. If both sides have ended, the transport closes by itself. The stream stays open until what was
 *    received by then has been read ('gone').
 * 4. A protocol with handshakes of its own (stream-protocol.ts) has the transport before the stream
 *    is open, and is heard out ('parting') before our side ends.
 */

import type { Buffer } from 'node:buffer'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import { noop } from '../../core/noop.ts'
import { STEP, type Weighed } from '../../core/weights.ts'
import type { SystemError, Transport, TransportSink } from '../../transport.ts'
import type { Cancel, CloseReason, StateSignal, TimeoutKind } from '../../types.ts'
import { DataChannel } from '../data-channel.ts'
import type { Driver, Hook } from '../hooks.ts'
import { pastOf } from '../past.ts'
import { timeOut, Timeouts, type TimeoutsOwner } from '../timeouts.ts'
import { closeAfter, endOf } from './error-end.ts'
import { checkCanKeepAlive, EFFECTS, type EffectsOwner, setKeepAlive } from './setting-effects.ts'
import { StreamFacts } from './stream-facts.ts'
import { failStream } from './stream-failure.ts'
import { protocolOnly } from './stream-misuse.ts'
import type { ReadingOwner } from './stream-reading.ts'
import type { KeepAlive, StreamValues } from './stream-settings.ts'
import { NO_WRITES, StreamWriting, type WritingOwner } from './stream-writing.ts'
import { type TlsDemand, type TlsOwner, TlsStart, tlsTooLate, tlsTwice } from './tls-start.ts'

export class StreamLink
  extends StreamFacts
  implements
    TransportSink,
    ReadingOwner,
    WritingOwner,
    TimeoutsOwner,
    TlsOwner,
    EffectsOwner,
    Weighed,
    Driver
{
  hasPeerEnded = false
  /** Ends the wait of this opening: for connect_timeout and an AbortSignal, or for end_timeout. */
  #stopWaiting: Cancel = noop
  /** Made when there is something to watch over. */
  #timeouts: Timeouts | undefined
  /** TLS, while it is to begin or its handshake runs. */
  #tls: TlsStart | undefined

  // ---- settings ---------------------------------------------------------------------------------

  assign<Name extends keyof StreamValues>(name: Name, value: StreamValues[Name]): void {
    if (name === 'read_delimiter') return this.delimit(value as ReadDelimiter)
    // Nothing changes, so nothing begins anew.
    if (value === this.values[name]) return
    const { state } = this.life
    if (name === 'keep_alive') checkCanKeepAlive(this.life.drive.network, value as KeepAlive)
    this.settings = this.settings.assigned(name, value, state === 'closed' || state === 'opening')
    this.writing.revoke()
    EFFECTS[name]?.(this)
  }

  /** `assign` of what may change at every message. Nothing but the reader depends on it. */
  delimit(value: ReadDelimiter): void {
    // Each count of 0 is an empty read.
    if (value === this.values.read_delimiter && value !== 0) return
    const { state } = this.life
    const isBefore = state === 'closed' || state === 'opening'
    this.settings = this.settings.assigned('read_delimiter', value, isBefore)
    this.reading.delimit(value)
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A new opening. `stopWaiting` is called when the attempt is over, however it ended. */
  attach(transport: Transport, stopWaiting: Cancel, demand: TlsDemand | undefined): void {
    this.transport = transport
    this.#stopWaiting = stopWaiting
    this.hasPeerEnded = false
    this.ending = 'no'
    this.#tls = demand && new TlsStart(this, demand)
    this.reading.begin()
    transport.sink = this
  }

  /** With TLS from the first byte on it is reported again, when the handshake is done. */
  opened(): void {
    const { life } = this
    const transport = this.transport as Transport
    const tls = this.#tls
    if (tls?.hasBegun === false) return tls.begin()
    tls?.stop()
    this.#tls = undefined
    if (life.state !== 'opening' && this.ending !== 'connecting') return (tls as TlsStart).secured()
    if (this.protocol?.begin() === false) return
    this.#stopWaiting()
    if (!this.values.no_delay) transport.set_no_delay(false)
    if (this.values.keep_alive !== false) setKeepAlive(transport, this.values)
    if (this.writing !== NO_WRITES) this.writing.begin(transport)
    life.open(this.isAccepted ? 'accept' : 'connect')
    // It was ended while it connected, or by a subscriber of the event.
    if (this.ending === 'connecting') return this.#part()
    if (life.state === 'active' && Timeouts.areAny(this.values)) this.#watched().changed()
    const isSecured = tls !== undefined || transport.tls !== undefined
    if (life.state === 'active' && isSecured) life.call('on_tls_handshake')
    if (life.state === 'active') this.reading.greeted(life.call('on_connect'))
    if (this.ending === 'halving' && this.writing.isEmpty) this.#sentAll()
    if (isSecured) life.drive.turns.favour(this)
    // Also when the hook has ended the stream: what the peer sends has to be read, to see its end.
    // (But not in clear, if the hook has started TLS.)
    if (this.transport === transport && life.state !== 'error' && this.#tls === undefined)
      transport.resume()
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /** From the first byte on, whatever was demanded before. */
  demandTls(demand: TlsDemand): void {
    this.#tls = new TlsStart(this, demand)
  }

  /** From the first byte on, or else after what is queued. */
  startTls(demand: TlsDemand): void {
    const transport = this.transport as Transport
    if (transport.tls !== undefined || this.#tls !== undefined) throw tlsTwice()
    if (this.ending !== 'no') throw tlsTooLate()
    const tls = (this.#tls = new TlsStart(this, demand))
    if (this.life.state === 'opening') return
    this.reading.hold('tls')
    transport.pause()
    this.writable().writeItem(tls, false)
  }

  get isShakingHands(): boolean {
    return this.#tls?.hasBegun === true
  }

  /** Is it open, or closing politely? */
  get isSending(): boolean {
    return this.life.state === 'active' || ['parting', 'sending'].includes(this.ending)
  }

  // ---- timeouts ---------------------------------------------------------------------------------

  #watched(): Timeouts {
    return (this.#timeouts ??= new Timeouts(this, this.life.drive, this.life.since))
  }

  watchAnew(): void {
    if (this.life.state === 'active') this.#watched().changed()
  }

  get isDeaf(): boolean {
    return this.hasPeerEnded || this.reading.isHeld
  }

  get isBlocked(): boolean {
    return this.writing.isBlocked
  }

  blocked(): void {
    if (this.values.write_timeout !== Infinity && this.life.state === 'active')
      this.#watched().blocked()
  }

  timedOut(kind: TimeoutKind): void {
    timeOut(this.life, kind)
  }

  #unwatch(): void {
    this.#timeouts?.stop()
    this.#timeouts = undefined
  }

  // ---- while it is open -------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.ending !== 'no' && !this.isListening()) return
    const { reading } = this
    const { flushing } = this.life.drive
    const outer = flushing.receiving(this)
    reading.receive(chunk)
    flushing.received(this, this.writing, outer)
    if (reading.bytes >= STEP) this.life.drive.weigh(this)
    reading.rest()
  }

  /** What to write to: borrowed, if there was nothing to send. */
  writable(): StreamWriting {
    return this.writing === NO_WRITES ? StreamWriting.borrow(this) : this.writing
  }

  turn(): void {
    this.writing.turn()
  }

  drained(): void {
    this.writing.drained()
  }

  emptied(): void {
    this.protocol?.emptied()
    // Most programs leave it as it is, and it comes after every flush.
    const { on_write } = this.life.channel as DataChannel
    if (on_write !== DataChannel.prototype.on_write) this.life.call('on_write')
    // The hook may have written more, or closed.
    if (this.ending !== 'no' && this.writing.isEmpty) this.#sentAll()
    this.reading.release('backpressure')
  }

  hookReturned(result: unknown, hook: Hook): void {
    this.reading.hookReturned(result, hook)
  }

  suspended(): void {
    this.reading.hold('suspended')
  }

  resumed(): void {
    this.reading.release('suspended')
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Ends our side when what is queued has gone. Reading goes on. */
  halfClose(): void {
    if (this.protocol !== undefined) throw protocolOnly('half_close()')
    if (this.ending !== 'no') return
    this.ending = 'halving'
    this.writing.revoke()
    if (this.life.state === 'active' && this.writing.isEmpty) this.#sentAll()
  }

  /** The peer has ended its side. */
  ended(): void {
    this.hasPeerEnded = true
    if (this.ending === 'no' || this.isListening()) this.reading.receiveEnd()
    this.parted()
  }

  /** Everything that the peer sent has been read, and on_read_end was called. */
  readAll(): void {
    if (this.ending === 'gone') this.abort()
  }

  /** Only an active stream may write without a check. One that closes reads no more. */
  stateChanged(state: StateSignal): void {
    if (state !== 'active') this.writing.revoke()
    if (state === 'closing') this.reading.stop()
  }

  /** Closes politely. While it connects, what was written is sent when it is connected. */
  end(): void {
    const isConnecting = this.life.state === 'opening'
    if (isConnecting && this.writing.isEmpty) return this.abort()
    this.life.beginClosing(this.hasPeerEnded ? 'remote' : undefined)
    // on_state may have closed it at once.
    if (this.life.state !== 'closing' || this.transport === undefined) return
    if (this.ending === 'gone') return this.destroy()
    if (isConnecting) this.ending = 'connecting'
    else this.#part()
  }

  #part(): void {
    const transport = this.transport as Transport
    this.#unwatch()
    const mayPart = this.protocol?.farewell() !== true
    this.ending = mayPart ? 'sending' : 'parting'
    transport.resume()
    const { timeout, isError } = endOf(this)
    if (timeout !== Infinity)
      this.#stopWaiting = this.life.drive.after(timeout, () => {
        // Otherwise the error is still the reason.
        if (!isError) this.ending = 'expired'
        this.destroy()
      })
    if (!mayPart) this.reading.hearOut()
    else if (this.writing.isEmpty) this.#sentAll()
  }

  /** The peer has answered the goodbye of the protocol, or will not. */
  parted(): void {
    if (this.ending !== 'parting') return
    this.ending = 'sending'
    this.reading.stop()
    if (this.writing.isEmpty) this.#sentAll()
  }

  closeAfter(error: Error): void {
    closeAfter(this, error)
  }

  /** Everything that was written has gone: our side ends, if it is to. */
  #sentAll(): void {
    if (this.ending === 'halving') this.ending = 'halved'
    else if (this.ending === 'sending') this.ending = 'sent'
    else return
    this.transport?.end()
  }

  failed(error: SystemError): void {
    failStream(this.life, error, this.protocol?.hasParted === true ? 'sent' : this.ending)
  }

  abort(reason: CloseReason | undefined = this.hasPeerEnded ? 'remote' : undefined): void {
    if (this.life.state !== 'closing') this.life.beginClosing(reason)
    this.destroy()
  }

  destroy(): void {
    this.#unwatch()
    this.#stopWaiting()
    this.#tls?.stop()
    this.protocol?.over()
    this.reading.stop()
    this.writing.drop()
    this.life.drive.letGo(this)
    this.transport?.destroy()
    if (this.ending !== 'gone') return
    // The transport has reported that it has closed, and on_close comes in a later turn.
    this.ending = 'sent'
    this.life.drive.wake({ turn: () => this.closed() })
  }

  closed(): void {
    if (this.life.state === 'active' && this.ending === 'halved' && this.reading.isEndAwaited)
      return void (this.ending = 'gone')
    this.abort(this.hasPeerEnded ? 'remote' : 'error')
    // What was assigned while it was open ends with this opening.
    this.settings = this.settings.lasting
    this.reading.reset()
    this.writing.rest()
    this.past = pastOf(this.transport as Transport)
    this.transport = undefined
    this.life.finishClosing(this.ending === 'expired' ? 'timeout' : undefined)
  }
}
