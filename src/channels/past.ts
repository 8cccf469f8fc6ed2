/**
 * Layer 5. Past: what a stream tells of its transport, also when that is gone.
 */

import type { Transport } from '../transport.ts'

/** What is told while the transport is there, and still when it has closed. */
export type Past = Pick<
  Transport,
  'local_address' | 'remote_address' | 'bytes_read' | 'bytes_written' | 'tls' | 'proxy_extensions'
>

/** Of a stream that has not had a transport. */
export const NO_PAST: Past = {
  local_address: undefined,
  remote_address: undefined,
  bytes_read: 0,
  bytes_written: 0,
}

/** A copy, which does not hold the transport in memory. */
export function pastOf(transport: Transport): Past {
  const { local_address, remote_address, bytes_read, bytes_written } = transport
  const { tls, proxy_extensions } = transport
  return { local_address, remote_address, bytes_read, bytes_written, tls, proxy_extensions }
}
