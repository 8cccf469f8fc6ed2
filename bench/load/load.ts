/**
 * Bench. What the load generator is told, and what it says. The generator and the runner share
 * these words; there is no code.
 *
 * A sample: runner → Task; generator → 'begin' after the warm-up, and goes on; runner → 'go' when
 * it has measured; generator → Result; then the runner ends the generator. To measure memory:
 * generator → 'begin'; runner → 'go'; generator → Result when all connections are open.
 */

/**
 * One kind of work. Sizes are bytes. `outstanding` is the number of messages that each connection
 * has sent and not yet got back.
 */
export type Load =
  /**
   * Each connection sends a batch, waits for the whole answer, and sends the next one; `isSecure`:
   * over TLS.
   */
  | {
      readonly kind: 'exchange'
      readonly connections: number
      readonly work: Work
      readonly outstanding: number
      readonly isSecure?: boolean
    }
  /** Each connection sends lines of this size as fast as they go. */
  | { readonly kind: 'bulk'; readonly connections: number; readonly size: number }
  /** One message after the other; every connection has to receive each of them. */
  | { readonly kind: 'broadcast'; readonly connections: number; readonly work: Work }
  /**
   * Connect, one line, close, and again. `connections`: how many at a time. `tls`: over TLS, with
   * a full handshake, or resuming one session.
   */
  | {
      readonly kind: 'connect'
      readonly connections: number
      readonly tls?: 'full' | 'resumed'
    }
  /** Connections are opened, used for one line each, and kept open; `isSecure`: over TLS. */
  | { readonly kind: 'idle'; readonly connections: number; readonly isSecure?: boolean }
  /** UDP. `connections`: the number of sockets. */
  | { readonly kind: 'packets'; readonly connections: number; readonly outstanding: number }

/** The messages of an exchange. They have 64 bytes unless it says otherwise. */
export type Work =
  | 'lines'
  /** Lines of text that is not ASCII. */
  | 'utf8'
  /** A length of four bytes, and 60 bytes. */
  | 'frames'
  /** A line, 64 bytes, a line, … */
  | 'alternate'
  /** A line of 16 bytes, answered by a hundred copies of itself. The answers are counted. */
  | 'burst'
  /** A line, answered by the file that the task names. MiB are counted. */
  | 'file'
  /** WebSocket: a masked text of 64 bytes, answered by the same without a mask. */
  | 'websocket'
  /** The same with text that is not ASCII. */
  | 'websocket-utf8'
  /** The same with a message of an envelope, which is its own answer. */
  | 'websocket-envelope'
  /** The same with 64 KiB of bytes. */
  | 'websocket-64k'

/** What the generator is told to do. */
export interface Task {
  readonly load: Load
  readonly port: number
  /** The path of the file that servers send. */
  readonly file: string
  /** Milliseconds. */
  readonly warm_up: number
}

/** How many messages had come back, and were right, at a moment of `now` (child.ts). */
export type Entry = readonly [at: number, messages: number]

/** What the generator has measured since 'begin'. */
export interface Result {
  /** In the order of time: from 'begin' until now, every few milliseconds. */
  readonly record: readonly Entry[]
  /** Milliseconds. */
  readonly elapsed: number
  /** CPU time of the generator itself, in microseconds. */
  readonly cpu: number
}

/** What the generator says. A fault (a wrong byte, a broken connection) ends the sample. */
export type Report = 'begin' | Result | { readonly fault: string }
