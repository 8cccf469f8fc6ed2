/**
 * Layer 2. The addresses of a `MemoryNetwork`: which are the same, how they are reported, and
 * errors that name them.
 */

import type { Endpoint, SystemError } from '../../transport.ts'
import type { SocketAddress } from '../../types.ts'

const THIS_MACHINE: readonly string[] = ['', '0.0.0.0', '::', 'localhost', '127.0.0.1', '::1']

/**
 * The address as it is reported. All names of this machine are 127.0.0.1; other hosts stay as they
 * were written.
 */
export function addressOf(at: Endpoint): SocketAddress {
  return at.kind === 'unix' ? at.path : [hostOf(at.host), at.port]
}

/** One name for all spellings of an address. */
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
