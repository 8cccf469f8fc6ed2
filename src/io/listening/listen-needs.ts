/**
 * Layer 2. What the options of `listen` need of the address, of Node and of the system. An option
 * that Node does not know, or that makes no sense there, is ignored by it without an error.
 */

import { isIPv4 } from 'node:net'
import { UnsupportedOptionError } from '../../errors.ts'
import type { ListenEndpoint, ListenOptions } from '../../transport.ts'
import { runtimeOf } from '../runtimes/runtime-of.ts'

/** Throws UnsupportedOptionError for an option that cannot be honoured there. */
export function checkNeeds(at: ListenEndpoint, options: ListenOptions): void {
  const { reuse_port = false, ipv6_only = false, mode } = options
  if (reuse_port) check('reuse_port', reusePortNeeds(at))
  if (ipv6_only) check('ipv6_only', ipv6OnlyNeeds(at))
  if (mode !== undefined) check('mode', modeNeeds(at))
}

function check(option: string, needs: string | undefined): void {
  if (needs !== undefined) throw new UnsupportedOptionError(option, needs)
}

/** The systems on which several sockets can listen at one port, and share its connections. */
const REUSES_PORTS: ReadonlySet<string> = new Set(['linux', 'freebsd', 'dragonfly', 'sunos', 'aix'])

/** What `reuse_port` needs there and is missing; `undefined` if nothing is. */
export function reusePortNeeds(
  at: ListenEndpoint,
  versions: NodeJS.Dict<string> = process.versions,
  platform: string = process.platform,
): string | undefined {
  if (at.kind === 'unix') return 'a port, and a unix socket has none'
  if (at.kind === 'descriptor') return 'a port: a socket that exists was opened with it, or without'
  const [major, minor] = (versions.node as string).split('.').map(Number) as [number, number]
  const isKnown = major === 22 ? minor >= 12 : major === 23 ? minor >= 1 : major > 23
  if (isKnown && REUSES_PORTS.has(platform)) return undefined
  return (
    'Node 22.12, 23.1 or newer, on Linux, FreeBSD, DragonFly, Solaris or AIX; ' +
    `this is ${runtimeOf(versions)} on ${platform}`
  )
}

/** As `reusePortNeeds`. A name is looked up among the IPv6 addresses. */
export function ipv6OnlyNeeds(
  at: ListenEndpoint,
  versions: NodeJS.Dict<string> = process.versions,
): string | undefined {
  if (at.kind !== 'ip') return 'a host and a port'
  if (isIPv4(at.host)) return `an IPv6 host, not ${at.host}`
  const isAny = /^[0:]*$/.test(at.host)
  // Deno 2.9 listens on both families all the same, and says nothing.
  if (!isAny || versions['deno'] === undefined) return undefined
  return `one IPv6 address on ${runtimeOf(versions)}: at any host, IPv4 is heard there, too`
}

/** As `reusePortNeeds`. */
export function modeNeeds(
  at: ListenEndpoint,
  platform: string = process.platform,
): string | undefined {
  if (at.kind !== 'unix') return 'the path of a unix socket'
  if (at.path.startsWith('\0')) return 'a path: an abstract unix socket has no file'
  return platform === 'win32' ? 'a system with file modes; Windows has none' : undefined
}
