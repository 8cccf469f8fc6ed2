/**
 * Layer 2. The file descriptor of a socket of Node's, for people to look at (`lsof -p`, `ss -p`):
 * nothing in sluice depends on it.
 *
 * Node documents no way to it. The handle of a socket has it as `fd` (checked with Node 20, 22, 24
 * and 26 on Linux). Where a Node has it elsewhere, there is none.
 */

import type { Socket as PacketSocket } from 'node:dgram'

interface Handle {
  /** Negative if there is none: on Windows, for example. */
  readonly fd?: number
}

/** The descriptor of a socket or server of node:net; `undefined` if it has none or is closed. */
export function descriptorOf(socket: object): number | undefined {
  return fdOf((socket as { _handle?: Handle | null })._handle)
}

/**
 * The same for node:dgram. There `_handle` warns that it is deprecated, so the handle is taken from
 * where that gets it: the property named by the symbol 'state symbol'.
 */
export function packetDescriptorOf(socket: PacketSocket | undefined): number | undefined {
  if (socket === undefined) return undefined
  // One that is not of node:dgram, and says so itself.
  if ('fd' in socket) return fdOf(socket as Handle)
  const key = Object.getOwnPropertySymbols(socket).find(
    symbol => symbol.description === 'state symbol',
  )
  const states = socket as unknown as Record<symbol, { readonly handle?: Handle | null }>
  return fdOf(states[key as symbol]?.handle)
}

function fdOf(handle: Handle | null | undefined): number | undefined {
  const fd = handle?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}
