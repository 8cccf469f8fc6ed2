/**
 * Layer 1. The counters of an engine: the numbers of `engine.stats()`.
 */

import type {
  Bytes,
  CloseReason,
  Milliseconds,
  SocketAddress,
  State,
  TimeoutKind,
} from '../types.ts'

/** The events of a channel that are counted and published, each with its details. */
export interface EventDetails {
  /** A message channel is open. `duration`: the time that opening took. */
  readonly open: { readonly duration: Milliseconds }
  /** A server or datagram listens. `duration`: the time that opening took. */
  readonly listen: { readonly duration: Milliseconds }
  /** A server has a new connection. `duration`: the time since it was accepted. */
  readonly accept: { readonly duration: Milliseconds }
  /** A stream or datagram is connected. `duration`: the time that connecting took. */
  readonly connect: { readonly duration: Milliseconds }
  /** A connection was closed instead of accepted, or received bytes were dropped. */
  readonly drop: { readonly reason: string; readonly address: SocketAddress }
  /** A timeout ran out. */
  readonly timeout: { readonly kind: TimeoutKind }
  /** A buffer has reached its bound. */
  readonly overflow: { readonly error: Error }
  /** A channel has closed. `duration`: the time since it was open; or opening, if it never was. */
  readonly close: {
    readonly reason: CloseReason
    readonly duration: Milliseconds
    readonly bytes_read: Bytes
    readonly bytes_written: Bytes
  }
}

export type EventName = keyof EventDetails

/** The present numbers of an open channel. */
export interface Gauge {
  readonly kind: 'stream' | 'server' | 'datagram' | 'message'
  readonly bytes_read: Bytes
  readonly bytes_written: Bytes
  /** Bytes in its buffers: received and not delivered, or written and not sent. */
  readonly bytes_held: Bytes
}

/** How many channels of one kind are in each state except 'closed'. */
type StateCounts = Readonly<Record<Exclude<State, 'closed'>, number>>

/** What `engine.stats()` returns. All counts begin when the engine is made. */
export interface EngineStats {
  /** The channels that are not closed now, by kind and state. */
  readonly channels: Readonly<Record<'streams' | 'servers' | 'datagrams' | 'messages', StateCounts>>
  /** How many streams and datagrams were connected. */
  readonly connected: number
  /** How many connections were accepted. */
  readonly accepted: number
  /** How often listening began. */
  readonly listened: number
  /** How many channels have closed, by reason. */
  readonly closed: Readonly<Record<CloseReason, number>>
  /** How often `on_drop` was called, by reason. A reason that never occurred is missing. */
  readonly dropped: Readonly<Record<string, number>>
  /** How often `on_timeout` was called, by kind. */
  readonly timeouts: Readonly<Record<TimeoutKind, number>>
  /** How often `on_overflow_error` was called. */
  readonly overflows: number
  /** Bytes received by all channels, closed ones included. */
  readonly bytes_read: Bytes
  /** Bytes sent by all channels, closed ones included. */
  readonly bytes_written: Bytes
  /** Bytes in the buffers of all channels now: received and not delivered, written and not sent. */
  readonly bytes_held: Bytes
  /** The timers of `callback`, `loop`, `defer` and `cycle` that are pending. */
  readonly timers: number
}

type Writable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] }

export class Tally {
  readonly #events: Writable<Record<EventName, number>> = {
    open: 0,
    listen: 0,
    accept: 0,
    connect: 0,
    drop: 0,
    timeout: 0,
    overflow: 0,
    close: 0,
  }
  readonly #closed: Record<CloseReason, number> = {
    local: 0,
    remote: 0,
    error: 0,
    timeout: 0,
    overflow: 0,
    drain: 0,
  }
  readonly #dropped: Record<string, number> = {}
  readonly #timeouts: Record<TimeoutKind, number> = {
    connect: 0,
    handshake: 0,
    read: 0,
    write: 0,
    idle: 0,
    lifetime: 0,
  }
  #bytesRead: Bytes = 0
  #bytesWritten: Bytes = 0

  count<Name extends EventName>(event: Name, details: EventDetails[Name]): void {
    this.#events[event]++
    if (event === 'close') this.#countClose(details as EventDetails['close'])
    if (event === 'timeout') this.#timeouts[(details as EventDetails['timeout']).kind]++
    if (event !== 'drop') return
    const { reason } = details as EventDetails['drop']
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1
  }

  #countClose({ reason, bytes_read, bytes_written }: EventDetails['close']): void {
    this.#closed[reason]++
    this.#bytesRead += bytes_read
    this.#bytesWritten += bytes_written
  }

  /** All counts, together with the numbers of the channels that are open now. */
  sum(open: Iterable<Measured>, timers: number): EngineStats {
    const {
      connect: connected,
      accept: accepted,
      listen: listened,
      overflow: overflows,
    } = this.#events
    const { channels, bytes_read, bytes_written, bytes_held } = sumOf(open)
    return {
      channels,
      connected,
      accepted,
      listened,
      closed: { ...this.#closed },
      dropped: { ...this.#dropped },
      timeouts: { ...this.#timeouts },
      overflows,
      bytes_read: this.#bytesRead + bytes_read,
      bytes_written: this.#bytesWritten + bytes_written,
      bytes_held,
      timers,
    }
  }
}

/** A channel that is open now. It has no gauge if it is none of the kinds that are counted. */
type Measured = readonly [state: State, gauge: Gauge | undefined]

function sumOf(
  open: Iterable<Measured>,
): Pick<EngineStats, 'channels' | 'bytes_read' | 'bytes_written' | 'bytes_held'> {
  const channels = {
    streams: noStates(),
    servers: noStates(),
    datagrams: noStates(),
    messages: noStates(),
  }
  let [bytes_read, bytes_written, bytes_held] = [0, 0, 0]
  for (const [state, gauge] of open) {
    if (gauge === undefined) continue
    channels[`${gauge.kind}s`][state as keyof StateCounts]++
    bytes_read += gauge.bytes_read
    bytes_written += gauge.bytes_written
    bytes_held += gauge.bytes_held
  }
  return { channels, bytes_read, bytes_written, bytes_held }
}

function noStates(): Writable<StateCounts> {
  return { opening: 0, active: 0, closing: 0, error: 0 }
}
