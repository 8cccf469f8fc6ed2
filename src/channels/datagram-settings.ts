/**
 * Layer 4. The settings of a Datagram: their defaults, what each of them may be, and what of them a
 * socket is told. And the two words that its hooks are told: why it drops, and whom an error is
 * about.
 *
 * Rules:
 * 1. A socket is told only what differs from the default: on a socket for both families some
 *    settings cannot be made at all.
 */

import type { ReadDelimiter } from '../core/delimiters.ts'
import { ChannelError, codeOf, InvalidArgumentError, messageOf } from '../errors.ts'
import type { PacketOptions, PacketSocket } from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'
import { checkBoolean, checkCount } from './settings.ts'
import { STREAM_CHECKS, STREAM_DEFAULTS } from './stream-settings.ts'

/**
 * The values of all settings of one Datagram. What each means is said where the class declares it.
 */
export interface DatagramValues {
  readonly read_delimiter: ReadDelimiter
  readonly regex_search: boolean
  readonly encoding: Encoding | null
  readonly buffer_size: Bytes
  readonly max_senders: number
  readonly senders_buffer_size: Bytes
  readonly send_high_water: Bytes
  readonly send_buffer_size: Bytes
  readonly end_timeout: Milliseconds
  readonly broadcast: boolean
  readonly reuse_address: boolean
  readonly ttl: number | null
  readonly multicast_ttl: number
  readonly multicast_loopback: boolean
  readonly multicast_interface: string | null
}

/**
 * Why a Datagram dropped something that it had received, as `on_drop` is told.
 * - 'max_senders', 'senders_buffer_size': which bound it was; the beginning of a message from the
 *   sender unheard for longest
 * - 'overload': a packet that came while reads were held (`suspend`, a promise) and found no room
 *   to wait in
 */
export type PacketDropReason = 'max_senders' | 'senders_buffer_size' | 'overload'

/**
 * An error that tells which peer it is about, where it is about one. Every error of a Datagram but
 * those of opening is one.
 */
export type DatagramError = ChannelError & { readonly remote_address?: SocketAddress | undefined }

export function about(address: SocketAddress | undefined, error: ChannelError): DatagramError {
  return Object.assign(error, { remote_address: address })
}

/**
 * What each packet counts towards a bound besides its bytes: its headers (IPv4 20, UDP 8). Without
 * it any number of empty packets would fit.
 */
export const PACKET_OVERHEAD: Bytes = 28

export const DATAGRAM_DEFAULTS: DatagramValues = {
  read_delimiter: STREAM_DEFAULTS.read_delimiter,
  regex_search: STREAM_DEFAULTS.regex_search,
  encoding: STREAM_DEFAULTS.encoding,
  buffer_size: STREAM_DEFAULTS.buffer_size,
  max_senders: 1024,
  senders_buffer_size: 1024 * 1024,
  send_high_water: STREAM_DEFAULTS.send_high_water,
  send_buffer_size: STREAM_DEFAULTS.send_buffer_size,
  end_timeout: STREAM_DEFAULTS.end_timeout,
  broadcast: false,
  reuse_address: false,
  ttl: null,
  multicast_ttl: 1, // RFC 1112: unless told otherwise, a multicast stays in its own network
  multicast_loopback: true,
  multicast_interface: null,
}

/** Returns the value as it is kept, or throws. */
export const DATAGRAM_CHECKS: {
  readonly [Name in keyof DatagramValues]: (name: string, value: unknown) => DatagramValues[Name]
} = {
  read_delimiter: STREAM_CHECKS.read_delimiter,
  regex_search: STREAM_CHECKS.regex_search,
  encoding: STREAM_CHECKS.encoding,
  buffer_size: STREAM_CHECKS.buffer_size,
  max_senders: (name, value) => checkCount(name, value, 1),
  senders_buffer_size: (name, value) => checkCount(name, value, 1),
  send_high_water: STREAM_CHECKS.send_high_water,
  send_buffer_size: STREAM_CHECKS.send_buffer_size,
  end_timeout: STREAM_CHECKS.end_timeout,
  broadcast: checkBoolean,
  reuse_address: checkBoolean,
  ttl: (name, value) => (value === null ? null : checkHops(name, value, 1)),
  multicast_ttl: (name, value) => checkHops(name, value, 0),
  multicast_loopback: checkBoolean,
  multicast_interface: checkInterface,
}

function checkHops(name: string, value: unknown, least: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= 255)
    return value as number
  throw new InvalidArgumentError(name, `a number of hops, ${least} to 255`, value)
}

function checkInterface(name: string, value: unknown): string | null {
  if (value === null || (typeof value === 'string' && value !== '')) return value
  throw new InvalidArgumentError(name, 'the address of a network interface, or null', value)
}

/** Does this setting change what is a read, or how much is kept? */
export function isReading(name: string): boolean {
  return [
    'read_delimiter',
    'regex_search',
    'encoding',
    'buffer_size',
    'max_senders',
    'senders_buffer_size',
  ].includes(name)
}

/** The settings that an open socket can be told. */
const LIVE = [
  'broadcast',
  'ttl',
  'multicast_ttl',
  'multicast_loopback',
  'multicast_interface',
] as const
export type LiveSetting = (typeof LIVE)[number]

export function isLive(name: string): name is LiveSetting {
  return (LIVE as readonly string[]).includes(name)
}

/** What a new socket is told. */
export function packetOptions(values: DatagramValues): Omit<PacketOptions, 'bind' | 'connect'> {
  const names = [...LIVE, 'reuse_address'] as const
  return Object.fromEntries(
    names
      .filter(name => values[name] !== DATAGRAM_DEFAULTS[name])
      .map(name => [name, values[name]]),
  )
}

/**
 * Tells an open socket, where there is one. What the system refuses is the answer to the call that
 * is under way, about its argument: so it is thrown, not told to a hook.
 */
export function tell(
  socket: PacketSocket | undefined,
  what: string,
  call: (socket: PacketSocket) => void,
): void {
  if (socket === undefined) return
  try {
    call(socket)
  } catch (error) {
    if (error instanceof ChannelError) throw error
    throw new ChannelError(codeOf(error) || 'ERR_UNKNOWN', `${what}: ${messageOf(error)}`, error)
  }
}

/** Is something set that a system can set for one family of addresses only? */
export function isOfOneFamily({
  ttl,
  multicast_ttl,
  multicast_loopback,
}: Omit<PacketOptions, 'bind' | 'connect'>): boolean {
  return ttl !== undefined || multicast_ttl !== undefined || multicast_loopback !== undefined
}
