/**
 * Layer 2. The addresses of packet sockets: host names become IP addresses, and the addresses
 * decide which family (IPv4, IPv6, or both) a socket is opened for.
 */

import { promises } from 'node:dns'
import { isIP } from 'node:net'
import { InvalidAddressError } from '../../errors.ts'
import type { Endpoint } from '../../transport.ts'
import type { Port } from '../../types.ts'

/** A host and a port. */
export type IpEndpoint = Extract<Endpoint, { kind: 'ip' }>

/**
 * The addresses that a socket reaches: those of IPv4, those of IPv6, or both (0, as in dns.lookup).
 * Both means an IPv6 socket that serves IPv4, too.
 */
export type Family = 0 | 4 | 6

/** What to open, with all names resolved. */
export interface Plan {
  readonly family: Family
  readonly local: string
  readonly peer: string | undefined
}

/** The prefix of an IPv4 address on an IPv6 socket. */
const MAPPED = '::ffff:'

/** Throws InvalidAddressError for a path. */
export function ipEndpoint(endpoint: Endpoint): IpEndpoint {
  if (endpoint.kind === 'ip') return endpoint
  throw new InvalidAddressError('a packet socket has a host and a port, not a path', endpoint.path)
}

/**
 * What to open for these hosts: the one to bind to, '' for any, and the one to connect to, if there
 * is one. The family is that of `local`. If `local` is any host, it is that of `peer`. `only`: IPv6
 * alone, or both.
 */
export async function planFor(
  local: string,
  peer: string | undefined,
  only: 0 | 6 = 0,
): Promise<Plan> {
  if (local === '' && peer === undefined) return { family: only, local: '::', peer }
  if (local === '') {
    const ip = await resolve(peer!, only)
    const family = isIP(ip) as Family
    return { family, local: family === 4 ? '0.0.0.0' : '::', peer: ip }
  }
  const ip = await resolve(local, only === 0 ? (isIP(peer ?? '') as Family) : only)
  const family = ip === '::' ? only : (isIP(ip) as Family)
  if (peer === undefined) return { family, local: ip, peer }
  return {
    family,
    local: ip,
    peer: literal(peer, family) ?? literal(await resolve(peer, family), family),
  }
}

/** A host as an address, not mapped. */
async function resolve(host: string, family: Family): Promise<string> {
  const here = literal(host, host === '' && family === 6 ? 6 : 4)
  return here ?? (await promises.lookup(host, { family })).address
}

/**
 * A host in the form that a socket of that family takes. `undefined` for a name: it must be looked
 * up first. '' is this machine.
 */
export function literal(host: string, family: Family): string | undefined {
  switch (isIP(host)) {
    case 4:
      return family === 4 ? host : MAPPED + host
    case 6:
      return host
    default:
      return host === '' ? literal(family === 6 ? '::1' : '127.0.0.1', family) : undefined
  }
}

/** The `lookup` option of node:dgram for addresses, which need no lookup. */
export function lookUpNothing(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, 0)
}

/** An address as the seam reports it: an IPv4 one is never mapped. */
export function reportedAddress({
  address,
  port,
}: {
  address: string
  port: Port
}): [host: string, port: Port] {
  const isMapped = address.startsWith(MAPPED) && address.includes('.')
  return [isMapped ? address.slice(MAPPED.length) : address, port]
}
