/**
 * Layer 2. The places of a `MemoryNetwork`: what is the same address, how it is reported, and
 * errors that name it.
 */

import type { Endpoint, SystemError } from '../../transport.ts'
import type { SocketAddress } from '../../types.ts'

const THIS_MACHINE: readonly string[] = ['', '0.0.0.0', '::', 'localhost', '127.0.0.1', '::1']

/**
 * The address as it is reported: any name of this machine is 127.0.0.1, other hosts are as they
 * were written.
 */
export function addressOf(at: Endpoint): SocketAddress {
  return at.kind === 'unix' ? at.path : [hostOf(at.host), at.port]
}

/** What two ways to write the same place have in common. */
export function nameOf(at: Endpoint): string {
  return String(addressOf(at))
}

/** An error as a system would report it. */
export function systemError(code: string, syscall: string, at?: Endpoint): SystemError {
  const where = at === undefined ? '' : ` ${nameOf(at).replace(',', ':')}`
  return Object.assign(new Error(`${syscall} ${code}${where}`), { code, syscall })
}

function hostOf(host: string): string {
  return THIS_MACHINE.includes(host) ? '127.0.0.1' : host
}
