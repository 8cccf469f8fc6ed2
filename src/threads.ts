/**
 * Layer 0. Worker threads: contracts only. Part of the seam, as files.ts.
 *
 * Rule that every implementation keeps: no report is made inside a call, as in transport.ts.
 */

/** Starts worker threads. */
export interface Threads {
  /**
   * Starts a thread. It imports `module` (a URL), which exports `serve`, a ThreadServe, and calls
   * it with `data`. What cannot be done is reported by `ended`.
   */
  start(module: string, data: unknown, owner: ThreadOwner): Thread
}

/** A thread, seen from the one that has started it. */
export interface Thread {
  /** Sends it a message: what structured cloning takes. */
  post(message: unknown): void
  /** Does it keep the process alive? It does not until it is told to. */
  hold(isHeld: boolean): void
  /** Ends it at once, whatever it does. */
  kill(): void
}

/** What a thread reports to: any number of received, then one ended. */
export interface ThreadOwner {
  /** It has sent a message. */
  received(message: any): void
  /** It has ended: by `kill`, by itself (undefined), or by an error. Nothing follows. */
  ended(error: Error | undefined): void
}

/** The way to the other side, in a thread. */
export interface ThreadPort {
  /** Sends a message. */
  post(message: unknown): void
  /** Calls with each message that comes, also with those that came before. Only once. */
  listen(received: (message: any) => void): void
}

/** What the module of a thread does. */
export type ThreadServe = (port: ThreadPort, data: any) => unknown
