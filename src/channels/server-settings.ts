/**
 * Layer 5. The settings of a StreamServer: their defaults, and what each of them may be.
 */

import { InvalidArgumentError } from '../errors.ts'
import type { TlsOptions } from '../transport.ts'
import type { Milliseconds } from '../types.ts'
import type { BlockList, DoorValues } from './door.ts'
import { checkCount, checkDuration, checkTls } from './settings.ts'
import { Stream } from './stream.ts'

/**
 * What makes the channel for an accepted connection: Stream, Connection, or a class of yours that
 * is one.
 */
export type ConnectionClass = new (options: any) => Stream<any>

/**
 * The values of all settings of a StreamServer. What each means is said where the class declares
 * it.
 */
export interface ServerValues extends DoorValues {
  readonly ConnectionClass: ConnectionClass
  readonly tls: TlsOptions | undefined
  readonly end_timeout: Milliseconds
}

export const SERVER_DEFAULTS: ServerValues = {
  ConnectionClass: Stream,
  max_connections: Infinity,
  max_connections_per_address: Infinity,
  block_list: null,
  backlog: 1024,
  proxy_protocol: null,
  proxy_trusted: null,
  proxy_timeout: 10_000,
  tls: undefined,
  end_timeout: 30_000,
}

/** Returns the value as it is kept, or throws. */
export const SERVER_CHECKS: {
  readonly [Name in keyof ServerValues]: (name: string, value: unknown) => ServerValues[Name]
} = {
  ConnectionClass: checkConnectionClass,
  max_connections: (name, value) => checkCount(name, value, 0),
  max_connections_per_address: (name, value) => checkCount(name, value, 0),
  block_list: checkBlockList,
  backlog: (name, value) => checkCount(name, value, 1),
  proxy_protocol: checkProxyProtocol,
  proxy_trusted: checkBlockList,
  proxy_timeout: checkDuration,
  tls: checkTls,
  end_timeout: checkDuration,
}

function checkConnectionClass(name: string, value: unknown): ConnectionClass {
  const isStream =
    typeof value === 'function' && (value === Stream || value.prototype instanceof Stream)
  if (!isStream)
    throw new InvalidArgumentError(name, 'a class that extends Connection (or Stream)', value)
  return value as ConnectionClass
}

function checkBlockList(name: string, value: unknown): BlockList | null {
  if (value !== null && typeof (value as Partial<BlockList> | undefined)?.check !== 'function') {
    throw new InvalidArgumentError(
      name,
      'a BlockList (an object with check(host, family)), or null',
      value,
    )
  }
  return value as BlockList | null
}

function checkProxyProtocol(name: string, value: unknown): ServerValues['proxy_protocol'] {
  if (value !== null && value !== 'require' && value !== 'optional')
    throw new InvalidArgumentError(name, "'require', 'optional' or null", value)
  return value
}
