/**
 * Layer 5. Link: what connects one Stream with one transport after the other. Everything is
 * reported to it.
 *
 * The way of a byte in:  transport → received → ReadPath → on_read
 * The way of a byte out: write → WritePath → turn (once a turn of the loop) → transport
 *
 * Its methods stand in the order of a life: attach → opened → received / write / turn / drained /
 * emptied → ended → end → failed → abort → closed.
 *
 * Rules:
 * 1. After every hook the state is looked at again: the hook may have closed the stream.
 * 2. Closing politely is: what is queued goes out, our side ends, and what still comes is read and
 *    dropped until the peer ends too. (Closing a socket that has unread bytes resets it, and the
 *    peer could lose our last ones.)
 */

import type { Buffer } from 'node:buffer'
import { formatAddress } from '../core/address.ts'
import { noop } from '../core/noop.ts'
import type { Hold, ReadOwner, ReadPath } from '../core/read-path.ts'
import { readSettings } from '../core/read-settings.ts'
import { isPromiseLike, Promises, type PromisesOwner } from '../core/promises.ts'
import type { Gauge } from '../core/tally.ts'
import type { SendItem } from '../core/send-item.ts'
import type { Turn } from '../core/turns.ts'
import { NO_WRITES, WritePath, type WriteOwner } from '../core/write-path.ts'
import { STEP, type Weighed } from '../core/weights.ts'
import type { IntoPacker } from '../core/write-run.ts'
import { codeOf, ConnectError, messageOf, OverflowError, ReadError, WriteError } from '../errors.ts'
import type { SystemError, TlsInfo, Transport, TransportSink } from '../transport.ts'
import type {
  Bytes,
  Cancel,
  CloseReason,
  Data,
  Encoding,
  SocketAddress,
  TimeoutKind,
} from '../types.ts'
import type { Driver } from './hooks.ts'
import { type Life, LIFE } from './life.ts'
import type { Stream } from './stream.ts'
import type { SharedValues } from './shared-values.ts'
import type { StreamValues } from './stream-settings.ts'
import { timeOut, Timeouts, type TimeoutsOwner } from './timeouts.ts'
import {
  demandOf,
  demandTls,
  failTls,
  type TlsDemand,
  type TlsOwner,
  TlsStart,
  tlsTwice,
} from './tls-start.ts'

/**
 * From so many queued bytes on every write is counted for the engine's buffer_limit, whatever the
 * settings of the stream allow.
 */
const COUNTED: Bytes = 64 * 1024

/**
 * Who receives now, with nobody else who has anything to send: what it writes meanwhile goes out
 * when that is done, not in its turn.
 */
let lone: Link | undefined

export class Link
  implements
    TransportSink,
    ReadOwner,
    WriteOwner,
    TimeoutsOwner,
    PromisesOwner,
    Weighed,
    Driver,
    TlsOwner,
    Turn
{
  readonly #stream: Stream<any>
  readonly #life: Life
  /** Borrowed, while there is something to be read or reads are held. */
  #read: ReadPath | undefined
  /** Borrowed, while there is something to be sent. */
  #write: WritePath = NO_WRITES
  #transport: Transport | undefined
  /** What is still told of the last transport when it is gone. */
  #past:
    | Pick<Transport, 'local_address' | 'remote_address' | 'bytes_read' | 'bytes_written' | 'tls'>
    | undefined

  #settings: SharedValues
  /** Has the queue reached that since it was last empty? */
  #isFull = false
  /**
   * Is on_overflow_error being told that the queue is too long? It may write a last word all the
   * same.
   */
  #isOverflowing = false
  #hasPeerEnded = false
  /** How far closing politely has come. */
  #isEnding: 'no' | 'sending' | 'sent' | 'expired' = 'no'
  /**
   * Ends the wait for whatever this opening waits for: connect_timeout, an AbortSignal,
   * end_timeout.
   */
  #stopWaiting: Cancel = noop
  /** Made when there is something to watch over. */
  #timeouts: Timeouts | undefined
  /** As what its opening is told: with TLS that is not before the handshake is done. */
  #event: 'accept' | 'connect' = 'connect'
  /** TLS, while it is to begin or its handshake runs. */
  #tls: TlsStart | undefined
  /** Made when a hook of this opening returns one. */
  #promises: Promises | undefined

  constructor(stream: Stream<any>, settings: SharedValues) {
    this.#stream = stream
    this.#life = stream[LIFE]
    this.#settings = settings
  }

  // ---- settings ---------------------------------------------------------------------------------

  get values(): StreamValues {
    return this.#settings.values
  }

  assign<Name extends keyof StreamValues>(name: Name, value: StreamValues[Name]): void {
    // Nothing changes, so nothing begins anew: a hook that assigns what is there must not be called
    // again for ever.
    if (value === this.values[name]) return
    const { state } = this.#life
    this.#settings = this.#settings.with(name, value, state === 'closed' || state === 'opening')
    // Writing does not depend on that one, which may change at every message.
    if (name !== 'read_delimiter') this.#write.revoke()
    const { values } = this
    switch (name) {
      case 'read_delimiter':
      case 'encoding':
      case 'regex_search':
      case 'buffer_size':
        this.#cutAnew(values)
        break
      case 'backpressure':
        if (!values.backpressure)
          this.#life.drive.wake({ turn: () => this.#release('backpressure') })
        break
      case 'no_delay':
        this.#transport?.set_no_delay(values.no_delay)
        break
      case 'keep_alive':
        this.#transport?.set_keep_alive(values.keep_alive)
        break
      case 'read_timeout':
      case 'write_timeout':
      case 'idle_timeout':
      case 'max_lifetime':
        if (state === 'active') this.#watched().changed()
    }
  }

  #cutAnew(values: StreamValues): void {
    const read = this.#read
    if (read === undefined) return
    read.use(
      values.read_delimiter,
      readSettings(values.encoding, values.regex_search),
      values.buffer_size,
    )
    // In a hook of its own the loop that is running goes on with it; from elsewhere, the next turn
    // looks.
    if (!read.isDraining && read.bytes > 0)
      this.#life.drive.wake({ turn: () => read === this.#read && read.drain() })
  }

  // ---- what is told -----------------------------------------------------------------------------

  // Methods, here and below, where a getter would do: for each use of a private one V8 asks its
  // runtime, 15 ns.
  #source(): Partial<Transport> {
    return this.#transport ?? this.#past ?? {}
  }

  get local_address(): SocketAddress | undefined {
    return this.#source().local_address
  }

  get remote_address(): SocketAddress | undefined {
    return this.#source().remote_address
  }

  get bytes_read(): Bytes {
    return this.#source().bytes_read ?? 0
  }

  get bytes_written(): Bytes {
    return this.#source().bytes_written ?? 0
  }

  get bytes_gone(): Bytes {
    return this.#transport?.bytes_gone ?? this.bytes_written
  }

  get tls(): TlsInfo | undefined {
    return this.#source().tls
  }

  get bytes_queued(): Bytes {
    return this.#write.size
  }

  /** Was it open, or opening, at any time? */
  get wasAttached(): boolean {
    return this.#transport !== undefined || this.#past !== undefined
  }

  get fileno(): number | undefined {
    return this.#transport?.fileno
  }

  address(): string {
    const { remote_address } = this
    return remote_address === undefined ? '' : formatAddress(remote_address)
  }

  gauge(): Gauge {
    const { bytes_read, bytes_written } = this
    return { kind: 'stream', bytes_read, bytes_written, bytes_held: this.weight }
  }

  get weight(): Bytes {
    return (this.#read?.bytes ?? 0) + this.#write.size
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A new opening; `stopWaiting` is called when the attempt is over, however it ended. */
  attach(transport: Transport, stopWaiting: Cancel): void {
    this.#transport = transport
    this.#stopWaiting = stopWaiting
    this.#isFull = false
    this.#hasPeerEnded = false
    this.#isEnding = 'no'
    this.#promises?.abandon()
    this.#promises = undefined
    this.#tls = undefined
    // Only one that is held, or has settings of its own, is still there.
    this.#read?.serve(this.#stream, this, transport.lends_chunks === true)
    transport.sink = this
  }

  opened(event: 'accept' | 'connect' = this.#event): void {
    this.#event = event
    const life = this.#life
    const transport = this.#transport as Transport
    const demand = demandOf(transport)
    if (demand !== undefined) return this.#newTls(demand).begin()
    this.#tls?.stop()
    this.#tls = undefined
    if (this.#life.state !== 'opening') return this.#secured(transport)
    this.#stopWaiting()
    if (!this.values.no_delay) transport.set_no_delay(false)
    if (this.values.keep_alive !== false) transport.set_keep_alive(this.values.keep_alive)
    life.open(event)
    if (life.state === 'active' && Timeouts.areAny(this.values)) this.#watched().changed()
    if (life.state === 'active' && transport.tls !== undefined) life.call('on_tls_handshake')
    if (life.state === 'active') life.call('on_connect')
    // Also when the hook has ended the stream: what the peer sends has to be read, to see its end.
    if (this.#transport === transport && life.state !== 'error') transport.resume()
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /** From the first byte on, or else behind what is queued. */
  startTls(demand: TlsDemand): void {
    const transport = this.#transport as Transport
    if (transport.tls !== undefined || this.#tls !== undefined || demandOf(transport) !== undefined)
      throw tlsTwice()
    if (this.#life.state === 'opening') return demandTls(transport, demand)
    this.#hold('tls')
    transport.pause()
    this.writeItem(this.#newTls(demand), false)
  }

  #newTls(demand: TlsDemand): TlsStart {
    return (this.#tls = new TlsStart(this.#life, this, demand))
  }

  get isShakingHands(): boolean {
    return this.#tls !== undefined
  }

  get unasked(): string | undefined {
    const bytes = this.#reading().unread()
    if (bytes > 0) return `${bytes} bytes came in clear behind what was read last`
    return this.#hasPeerEnded ? 'the peer has ended its side' : undefined
  }

  handOver(secure: (inner: Transport) => Transport): void {
    this.#transport = secure(this.#transport as Transport)
    this.#transport.sink = this
  }

  /** In the middle of a connection. */
  #secured(transport: Transport): void {
    this.#life.call('on_tls_handshake')
    // The hook may have closed it.
    if (this.#life.state !== 'active' && this.#isEnding === 'no') return
    this.#reading().serve(this.#stream, this, transport.lends_chunks === true)
    this.#write.open(transport)
    this.turn()
    this.#release('tls')
    transport.resume()
  }

  // ---- timeouts ---------------------------------------------------------------------------------

  #watched(): Timeouts {
    this.#timeouts ??= new Timeouts(this, this.#life.drive, this.#life.since)
    return this.#timeouts
  }

  get isDeaf(): boolean {
    return this.#hasPeerEnded || this.#read?.isHeld === true
  }

  get isBlocked(): boolean {
    return this.#write.isFull
  }

  filled(): void {
    this.#life.drive.weigh(this)
    if (this.values.write_timeout !== Infinity && this.#life.state === 'active')
      this.#watched().blocked()
  }

  timedOut(kind: TimeoutKind): void {
    timeOut(this.#life, kind)
  }

  #unwatch(): void {
    this.#timeouts?.stop()
    this.#timeouts = undefined
  }

  // ---- receiving --------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.#isEnding !== 'no') return
    const read = this.#reading()
    const outer = lone
    lone = this.#life.drive.isAlone(this) ? this : undefined
    read.receive(chunk)
    if (this.#isFull || lone === this) this.turn()
    else this.#write.flushLarge()
    lone = outer
    if (read.bytes >= STEP) this.#life.drive.weigh(this)
    this.#restReading()
  }

  #reading(): ReadPath {
    this.#read ??= this.#settings.paths.borrow(
      this.#stream,
      this,
      this.#transport?.lends_chunks === true,
    )
    return this.#read
  }

  #restReading(): void {
    if (this.#read?.isIdle === true && this.#settings.paths.takeBack(this.#read))
      this.#read = undefined
  }

  #hold(why: Hold): void {
    this.#reading().hold(why)
  }

  #release(why: Hold): void {
    this.#read?.release(why)
    this.#restReading()
  }

  pause(): void {
    this.#transport?.pause()
  }

  resume(): void {
    this.#transport?.resume()
  }

  overflowed(limit: Bytes): void {
    const message = `a read has more than ${limit} bytes (buffer_size) without reaching its read_delimiter`
    this.#life.warn('on_overflow_error', new OverflowError('receive', limit, message), 'overflow')
  }

  broken(error: unknown): void {
    this.#life.warn(
      'on_read_error',
      new ReadError(codeOf(error) || 'ERR_INVALID_DELIMITER', messageOf(error), error),
    )
  }

  // ---- hooks ------------------------------------------------------------------------------------

  hookFailed(error: unknown): void {
    this.#life.hookFailed(error)
  }

  hookReturned(result: unknown): void {
    if (!isPromiseLike(result)) return
    // Of on_close nothing is left to be held, and the next opening counts anew: nobody would let go
    // of it.
    if (this.#transport !== undefined) this.#hold('promise')
    this.#promises ??= new Promises(this)
    void this.#promises.add(result)
  }

  promiseRejected(error: unknown, isLate: boolean): void {
    // What is left of an opening that is over must not close the next one.
    if (isLate) this.#life.log(error)
    else this.#life.hookFailed(error)
  }

  promisesSettled(): void {
    this.#release('promise')
  }

  suspended(): void {
    this.#hold('suspended')
  }

  resumed(): void {
    this.#release('suspended')
  }

  // ---- sending ----------------------------------------------------------------------------------

  /** A small write, when there is nothing to be looked at. False: `write` it. */
  add(data: Data): boolean {
    return this.#write.add(data)
  }

  write(data: Data, flush: boolean): boolean {
    if (this.#isOver()) return this.#overflow()
    const write = this.#writing()
    write.push(data, this.#encoding())
    if (flush) write.flush()
    return this.#grant(write)
  }

  writePacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    if (this.#write.addPacked(packer, values)) return true
    if (this.#isOver()) return this.#overflow()
    const write = this.#writing()
    write.pushPacked(packer, values)
    return this.#grant(write)
  }

  #encoding(): Encoding {
    return this.values.encoding ?? 'utf8'
  }

  /** Is there room for more? Then the next small writes need not be looked at. */
  #grant(write: WritePath): boolean {
    const hasRoom = this.#hasRoom(write)
    if (hasRoom) write.grant(this.#mark(), this.#encoding())
    return hasRoom
  }

  /**
   * Is too much queued for another write? A last word of on_overflow_error is taken all the same.
   */
  #isOver(): boolean {
    return this.#isFull && !this.#isOverflowing && this.#write.size > this.values.send_buffer_size
  }

  writeItem(item: SendItem, flush: boolean): boolean {
    const write = this.#writing()
    write.pushItem(item)
    if (flush) write.flush()
    return this.#hasRoom(write)
  }

  /** From so many queued bytes on a write is no longer the cheap kind. */
  #mark(): Bytes {
    return Math.min(this.values.send_high_water, this.values.send_buffer_size, COUNTED)
  }

  #writing(): WritePath {
    if (this.#write === NO_WRITES)
      this.#write = WritePath.borrow(this, this.#transport as Transport)
    return this.#write
  }

  #hasRoom(write: WritePath): boolean {
    const isMuch = write.reaches(this.#mark())
    if (isMuch || write.isFull) this.#life.drive.weigh(this)
    // Flushing or counting may have closed it.
    if (this.#life.state !== 'active') return false
    if (isMuch) this.#isFull = true
    if (!isMuch || !write.reaches(this.values.send_high_water)) return true
    if (this.values.backpressure) this.#hold('backpressure')
    return false
  }

  #overflow(): boolean {
    this.#isOverflowing = true
    const limit = this.values.send_buffer_size
    const message = `${this.#write.size} bytes wait to be sent, more than send_buffer_size (${limit}); the write was dropped`
    this.#life.warn('on_overflow_error', new OverflowError('send', limit, message), 'overflow')
    this.#isOverflowing = false
    return false
  }

  crowded(limit: Bytes): void {
    const message = `the channels of the engine hold more than ${limit} bytes (buffer_limit), and this one most: ${this.weight}`
    this.#life.warn('on_overflow_error', new OverflowError('engine', limit, message), 'overflow')
  }

  #restWriting(): void {
    const write = this.#write
    if (!write.isEmpty || write === NO_WRITES) return
    this.#write = NO_WRITES
    WritePath.takeBack(write)
  }

  flush(): void {
    this.#write.flush()
  }

  queued(): void {
    if (lone !== this) this.#life.drive.wake(this)
  }

  /** Once a turn of the loop, if anything was written in it. */
  turn(): void {
    this.#write.flush()
    this.#write.reportEmptied()
    this.#restWriting()
  }

  drained(): void {
    this.#write.drained()
  }

  emptied(): void {
    this.#isFull = false
    this.#life.call('on_write')
    // The hook may have written more, or closed.
    if (this.#isEnding === 'sending' && this.#write.isEmpty) this.#endSide()
    this.#release('backpressure')
  }

  writeFailed(error: unknown): void {
    this.#life.warn(
      'on_write_error',
      new WriteError(codeOf(error) || 'ERR_WRITE', messageOf(error), error),
    )
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** From the transport, and again from the read path when everything before it was delivered. */
  ended(): void {
    if (!this.#hasPeerEnded) {
      this.#hasPeerEnded = true
      if (this.#isEnding === 'no') this.#reading().receiveEnd()
    } else if (this.#life.state === 'active') {
      this.#life.call('on_read_end')
    }
  }

  /** Closes politely. */
  end(): void {
    this.#write.revoke()
    this.#life.beginClosing(this.#hasPeerEnded ? 'remote' : undefined)
    // on_state may have closed it at once.
    if (this.#life.state !== 'closing' || this.#transport === undefined) return
    this.#unwatch()
    this.#isEnding = 'sending'
    this.#read?.hold('closed')
    this.#transport.resume()
    const { end_timeout } = this.values
    if (end_timeout !== Infinity && this.#mayHang())
      this.#stopWaiting = this.#life.drive.after(end_timeout, () => this.#expire())
    if (this.#write.isEmpty) this.#endSide()
  }

  /**
   * Not when both have said all, unless TLS has its own goodbye to say. (A timer of 7 us is a tenth
   * of a short connection.)
   */
  #mayHang(): boolean {
    return !this.#hasPeerEnded || !this.#write.isEmpty || this.tls !== undefined
  }

  #endSide(): void {
    this.#isEnding = 'sent'
    this.#transport?.end()
  }

  #expire(): void {
    this.#isEnding = 'expired'
    this.destroy()
  }

  failed(error: SystemError): void {
    const life = this.#life
    const code = error.code ?? 'ERR_UNKNOWN'
    this.#write.revoke()
    if (failTls(life, error)) return
    if (life.state === 'opening')
      life.fail('on_connect_error', new ConnectError(code, error.message, error))
    // Everything was sent and the peer knows that we have ended: how it goes away is its own
    // affair.
    else if (this.#isEnding === 'sent') return
    else if (
      this.#isEnding === 'sending' ||
      error.syscall === 'write' ||
      error.syscall === 'shutdown'
    ) {
      life.fail('on_write_error', new WriteError(code, error.message, error))
    } else life.fail('on_read_error', new ReadError(code, error.message, error))
  }

  /** Closes at once. */
  abort(reason: CloseReason | undefined = this.#hasPeerEnded ? 'remote' : undefined): void {
    this.#write.revoke()
    if (this.#life.state !== 'closing') this.#life.beginClosing(reason)
    this.destroy()
  }

  destroy(): void {
    this.#unwatch()
    this.#stopWaiting()
    this.#tls?.stop()
    this.#read?.hold('closed')
    this.#write.reset()
    this.#life.drive.letGo(this)
    this.#transport?.destroy()
  }

  closed(): void {
    const life = this.#life
    const transport = this.#transport as Transport
    if (life.state !== 'closing') life.beginClosing(this.#hasPeerEnded ? 'remote' : 'error')
    this.destroy()
    this.#read?.reset()
    this.#restReading()
    this.#restWriting()
    const { local_address, remote_address, bytes_read, bytes_written, tls } = transport
    this.#past = { local_address, remote_address, bytes_read, bytes_written, tls }
    this.#transport = undefined
    life.finishClosing(this.#isEnding === 'expired' ? 'timeout' : undefined)
  }
}
