/**
 * Layer 10. How a command stops on SIGINT and SIGTERM.
 *
 * Rule: the first signal lets the work finish, the second one ends the process at once.
 */

import type { Milliseconds } from '../types.ts'
import type { Host, Signal } from './host.ts'

/** The number of each signal. As a shell does, `exit` adds 128 to it. */
const SIGNALS: Readonly<Record<Signal, number>> = { SIGINT: 2, SIGTERM: 15 }
const NAMES = Object.keys(SIGNALS) as Signal[]

/**
 * How long the work may take to finish after the first signal. It is shorter than the default of
 * `engine.stop` because somebody is waiting for the prompt.
 */
export const STOP_TIMEOUT: Milliseconds = 5_000

/**
 * The terminal sends a Ctrl-C to npm and to its script, and npm passes it on to the script: it
 * arrives twice. Under npm a second signal within this time is taken for the same Ctrl-C.
 */
const NPM_REPEATS: Milliseconds = 250

type SignalHost = Pick<Host, 'signals' | 'engine' | 'isUnderNpm'>

/**
 * Calls `stop` on the first signal and `exit` on the second, with the exit code that stands for it.
 * Returns the function that ends this.
 */
export function stopOnSignals(
  { signals, engine, isUnderNpm }: SignalHost,
  stop: (signal: Signal) => void,
  exit: (code: number) => void,
): () => void {
  let first: Milliseconds | undefined
  return listen(signals, signal => {
    if (first === undefined) {
      first = engine.now
      stop(signal)
    } else if (isUnderNpm !== true || engine.now - first > NPM_REPEATS) {
      exit(128 + SIGNALS[signal])
    }
  })
}

/** Makes signals do nothing: another process gets them too, and says when this one must stop. */
export function ignoreSignals({ signals }: SignalHost): void {
  listen(signals, () => {})
}

function listen(signals: Host['signals'], listener: (signal: Signal) => void): () => void {
  for (const name of NAMES) signals.on(name, listener)
  return () => {
    for (const name of NAMES) signals.off(name, listener)
  }
}
