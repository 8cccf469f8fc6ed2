/**
 * Layer 4. The options of a Stream: those of its constructor and those of `connect`, with the
 * checks of the latter. (The constructor's are settings, which check themselves.)
 */

import type { LookupAddress, LookupOptions } from 'node:dns'
import { parseAddress } from '../../core/address.ts'
import type { Delimiter, ReadDelimiter } from '../../core/delimiters.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkAddressOptions } from '../../core/options.ts'
import { InvalidAddressError, InvalidArgumentError } from '../../errors.ts'
import type { ConnectOptions, Endpoint, TlsOptions, Transport } from '../../transport.ts'
import type { Address } from '../../types.ts'
import type { ChannelOptions } from '../channel.ts'
import type { StreamValues } from './stream-settings.ts'

/** The options of a Stream: every setting, `engine`, `name` and `socket`. */
export interface StreamOptions extends ChannelOptions, AsOptions<Omit<StreamValues, 'tls'>> {
  /**
   * Node's TLS options, for TLS from the first byte on, as with `start_tls`.
   *
   * @default undefined: in clear. null means the same.
   */
  readonly tls?: TlsOptions | null | undefined
  /**
   * A connection that a server accepted: what its `on_accept` gets. The stream takes it over and is
   * connected; `on_connect` is called soon.
   */
  readonly socket?: Transport | undefined
}

/** The options that are no settings. Only a connection that was accepted has a server. */
export const NO_SETTINGS = ['engine', 'name', 'socket'] as const
export const NO_SETTINGS_ACCEPTED = [...NO_SETTINGS, 'server'] as const

/** How to connect. */
export interface StreamConnectOptions {
  /**
   * Aborts the attempt: `on_connect_error` gets an error with the code ERR_ABORTED. Once connected
   * it has no effect.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * The address to connect from.
   *
   * @default the system chooses
   */
  readonly local_address?: readonly [host: string, port: number] | undefined
  /**
   * Resolves host names; the same as the option `lookup` of Node's `net.connect`. It may also
   * return a promise, as `dns.promises.lookup` does.
   *
   * @default Node's `dns.lookup`
   */
  readonly lookup?: Lookup | undefined
}

/** A resolver, as Node's `dns.lookup` and `dns.promises.lookup` are. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (
    error: Error | null,
    address?: string | LookupAddress[],
    family?: number | undefined,
  ) => void,
) => unknown

export const CONNECT_NAMES: readonly string[] = [
  'signal',
  'local_address',
  'lookup',
] satisfies (keyof StreamConnectOptions)[]

/** Where to connect to. Throws InvalidAddressError. */
export function parseTarget(address: Address): Endpoint {
  const endpoint = parseAddress(address)
  if (endpoint.kind === 'ip' && endpoint.port === 0)
    throw new InvalidAddressError('nothing can be connected to at port 0', address)
  return endpoint
}

/** The options as a network takes them. Throws for an option that is unknown or invalid. */
export function networkOptions(
  address: unknown,
  options: StreamConnectOptions,
  delimiter: ReadDelimiter,
): ConnectOptions {
  checkAddressOptions('connect', address, options, CONNECT_NAMES)
  const { signal, local_address, lookup } = options
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('connect: signal', 'an AbortSignal', signal)
  if (lookup !== undefined && typeof lookup !== 'function')
    throw new InvalidArgumentError('connect: lookup', 'a function', lookup)
  const local = local_address === undefined ? undefined : parseAddress(local_address)
  if (local?.kind === 'unix')
    throw new InvalidAddressError('connect: local_address must be [host, port]', local_address)
  const lend = (delimiter as Partial<Delimiter> | null)?.copies === true
  return { lend, local, lookup }
}
