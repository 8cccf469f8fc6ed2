/**
 * Bench. What a load generator can be told to do, and what it says: the words that it and the
 * runner share; no code.
 *
 * The order of a sample: runner → Task; generator → 'begin' (after the warm-up); runner → 'go';
 * generator → Result; the runner ends it.
 */

/**
 * One kind of work. Sizes are bytes, `outstanding` is what each connection has sent and not yet got
 * back.
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
  /** Each connection sends lines of that size as fast as they go. */
  | { readonly kind: 'bulk'; readonly connections: number; readonly size: number }
  /** One line after the other, each of them to be received by every connection. */
  | { readonly kind: 'broadcast'; readonly connections: number }
  /** Connect, one line, close, and again, so many at a time. */
  | { readonly kind: 'connect'; readonly connections: number }
  /** So many connections are opened, used for one line each, and held. */
  | { readonly kind: 'idle'; readonly connections: number }
  /** UDP. */
  | { readonly kind: 'packets'; readonly connections: number; readonly outstanding: number }

/** What an exchange is about. Messages have 64 bytes, except where it says otherwise. */
export type Work =
  | 'lines'
  /** Lines of text that is not ASCII. */
  | 'utf8'
  /** A length of four bytes, and 60 bytes. */
  | 'frames'
  /** A line, 64 bytes, a line, … */
  | 'alternate'
  /** A line of 16 bytes, answered by itself a hundred times; the answers are what is counted. */
  | 'burst'
  /** A line, answered by the file that the task names; megabytes are what is counted. */
  | 'file'

/** What the generator is told to do. */
export interface Task {
  readonly load: Load
  readonly port: number
  readonly file: string
  /** Milliseconds. */
  readonly warm_up: number
  readonly window: number
}

/** What the generator has measured between 'begin' and now. */
export interface Result {
  /** What came back, and was right. */
  readonly messages: number
  /** Milliseconds. */
  readonly elapsed: number
  /** CPU time of the generator itself, in microseconds. */
  readonly cpu: number
}

/** What the generator says. A fault (a wrong byte, a broken connection) ends the sample. */
export type Report = 'begin' | Result | { readonly fault: string }
