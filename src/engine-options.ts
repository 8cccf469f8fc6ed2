/**
 * Layer 3. The options of an engine, and the checks of them.
 */

import { checkOptions } from './core/options.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Clock, Network } from './transport.ts'
import type { Bytes } from './types.ts'

/** The parts of an engine. Every part has a default. */
export interface EngineOptions {
  /**
   * Makes the sockets, and may bring TLS and files of its own.
   *
   * @default the sockets, the TLS and the files of Node
   */
  readonly network?: Network | undefined
  /**
   * Tells the time.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined
  /**
   * The most bytes that all channels together may hold; see `Engine.buffer_limit`.
   *
   * @default half of V8's heap limit
   */
  readonly buffer_limit?: Bytes | undefined
  /**
   * Gets every error that no hook handles, one line each.
   *
   * @default `console.error`
   */
  readonly log?: Log | undefined
}

/**
 * Where an engine logs to. The message is complete by itself; `error`, if there is one, is the
 * object behind it.
 */
export type Log = (message: string, error?: unknown) => void

const PARTS: readonly string[] = [
  'network',
  'clock',
  'buffer_limit',
  'log',
] satisfies (keyof EngineOptions)[]

/**
 * Throws InvalidArgumentError for options that are no object, for one that does not exist, and for
 * a part that is not one.
 */
export function checkParts(options: EngineOptions): void {
  checkOptions('Engine', options, PARTS)
  const { network, clock, log } = options
  if (network !== undefined && typeof network?.connect !== 'function')
    throw new InvalidArgumentError('engine: network', 'a Network', network)
  if (network?.tls !== undefined && typeof network.tls?.context !== 'function')
    throw new InvalidArgumentError('engine: network.tls', 'a Tls', network.tls)
  if (network?.files !== undefined && typeof network.files?.read !== 'function')
    throw new InvalidArgumentError('engine: network.files', 'Files', network.files)
  if (clock !== undefined && typeof clock?.now !== 'function')
    throw new InvalidArgumentError('engine: clock', 'a Clock', clock)
  if (log !== undefined) checkLog(log)
}

export function checkLog(log: unknown): Log {
  if (typeof log !== 'function')
    throw new InvalidArgumentError('engine: log', 'a function (message, error)', log)
  return log as Log
}

/** For `buffer_limit`: returns it, or throws InvalidArgumentError unless it is positive. */
export function checkLimit(limit: unknown): Bytes {
  if (typeof limit !== 'number' || !(limit > 0))
    throw new InvalidArgumentError('buffer_limit', 'a positive number of bytes, or Infinity', limit)
  return limit
}

/** For timers: throws InvalidArgumentError unless it is positive and finite. */
export function checkDelay(name: string, delay: unknown): void {
  if (typeof delay !== 'number' || !(delay > 0) || delay === Infinity) {
    throw new InvalidArgumentError(name, 'a positive, finite number of milliseconds', delay)
  }
}
