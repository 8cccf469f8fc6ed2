/**
 * Layer 4. The settings of a Datagram: what each means, its default, and which values are valid.
 *
 * The interface below is the documentation: class Datagram has these members, DatagramOptions takes
 * them as options, and a subclass may write them as class fields.
 */

import { checkBoolean, checkCount } from '../../core/checks.ts'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import { InvalidArgumentError, InvalidDelimiterError } from '../../errors.ts'
import type { Bytes, Encoding, Milliseconds } from '../../types.ts'
import { STREAM_CHECKS, STREAM_DEFAULTS } from '../streams/stream-settings.ts'

/** Every setting of a Datagram. */
export interface DatagramSettings<By extends ReadDelimiter = ReadDelimiter> {
  /**
   * How the bytes of one sender are cut into reads; see `ReadDelimiter`. With `null` each packet is
   * one read, empty packets included. Otherwise the packets of each sender are a stream, in the
   * order in which they came: a message may begin in one packet and end in another.
   *
   * - Takes effect: set inside `on_read`, with the sender's next byte. Set elsewhere, bytes that
   *   are already buffered are looked at again in the next turn of the loop.
   * - Throws `InvalidDelimiterError` if the value is invalid.
   *
   * @default null
   */
  // Differs: Pants may join packets if it is null.
  read_delimiter: By
  /**
   * Whether `read_delimiter` cuts each packet by itself, as most protocols over UDP mean it: a
   * message ends in the packet in which it began. What is left over at the end of a packet is
   * dropped, with `on_drop('incomplete', …)`.
   *
   * - Takes effect: as `read_delimiter`.
   *
   * @default false
   * @example
   * class Clock extends Datagram<typeof ntp> {
   *   override read_delimiter = ntp // new Struct('!BBbbLL4sQQQQ')
   *   override whole_packets = true
   * }
   */
  whole_packets: boolean
  /**
   * With a RegExp as `read_delimiter`: what `on_read` gets. If true, the bytes before the match. If
   * false, the match itself, which must begin at the first byte.
   *
   * - Takes effect: as `read_delimiter`.
   *
   * @default true
   */
  regex_search: boolean
  /**
   * Text or bytes. With `null`, `on_read` gets Buffers and text is written as UTF-8. With an
   * encoding of Node's Buffer, `on_read` gets strings, and text is decoded and written with it.
   * Without a delimiter each packet is decoded by itself.
   *
   * - Takes effect: as `read_delimiter`.
   *
   * @default null
   */
  encoding: Encoding | null
  /**
   * The most bytes of one read of one sender, as with a Stream. If more arrive without a delimiter,
   * `on_overflow_error` is called. If `read_delimiter` is null, it has no meaning.
   *
   * - Unit: bytes, at least 1. `Infinity` means no limit.
   * - Takes effect: at once.
   *
   * @default 64 KiB
   */
  buffer_size: Bytes
  /**
   * At most this many senders may have an unfinished message. Beyond that, the sender silent for
   * longest loses its message, and `on_drop` is called.
   *
   * - Unit: senders, at least 1. `Infinity` means no limit.
   * - Takes effect: at once.
   *
   * @default 1024
   */
  // Differs: Pants has no bound.
  max_senders: number
  /**
   * The most bytes of unfinished messages, over all senders. Beyond that, the sender silent for
   * longest loses its message, and `on_drop` is called.
   *
   * As much again may wait while reads are held (by `suspend` or a promise of a hook), with 28
   * bytes added for each packet. Beyond that, further packets are dropped, and `on_drop` is called.
   *
   * - Unit: bytes, at least 1. `Infinity` means no limit.
   * - Takes effect: at once.
   *
   * @default 1 MiB
   */
  senders_buffer_size: Bytes
  /**
   * Once this many bytes are queued, `write` returns false.
   *
   * - Unit: bytes, at least 1. Each packet counts 28 bytes more (its headers).
   * - Takes effect: with the next write.
   *
   * @default 64 KiB
   */
  send_high_water: Bytes
  /**
   * If more bytes than this are queued, a further write is dropped and `on_overflow_error` is
   * called.
   *
   * - Unit: bytes, at least 1. Each packet counts 28 bytes more (its headers).
   * - Takes effect: with the next write.
   *
   * @default 16 MiB
   */
  send_buffer_size: Bytes
  /**
   * The longest that closing politely may take, from `end()` to `on_close`. Then the datagram
   * closes at once, with the reason 'timeout'.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: with the next `end()`.
   *
   * @default 30 000 ms
   */
  end_timeout: Milliseconds
  /**
   * Whether it may send to broadcast addresses. If false, `on_write_error` gets an error with the
   * code EACCES.
   *
   * - Takes effect: at once.
   *
   * @default false
   */
  broadcast: boolean
  /**
   * Whether other sockets may be bound to the same address, as is usual for multicast.
   *
   * - Takes effect: with the next `listen`.
   *
   * @default false
   */
  reuse_address: boolean
  /**
   * How many hops a packet may take. With `null` the system decides.
   *
   * Systems set it for one family of addresses only. So if `ttl`, `multicast_ttl` or
   * `multicast_loopback` is set, the host '' means any IPv4 host; use '::' for IPv6.
   *
   * - Unit: hops, 1 to 255.
   * - Takes effect: at once; a change back to `null`, with the next opening.
   * - Throws `UnsupportedOptionError` if it is set while open for both families.
   *
   * @default null
   */
  ttl: number | null
  /**
   * How many hops a packet to a multicast group may take. With 1 it stays in its own network.
   *
   * - Unit: hops, 0 to 255.
   * - Takes effect: as `ttl`.
   * - RFC 1112 has the same default.
   *
   * @default 1
   */
  multicast_ttl: number
  /**
   * Whether this machine hears what is sent to multicast groups from here.
   *
   * - Takes effect: as `ttl`.
   *
   * @default true
   */
  multicast_loopback: boolean
  /**
   * The address of the interface through which packets to multicast groups leave ('::%eth1' with
   * IPv6). With `null` the system chooses.
   *
   * - Takes effect: at once; a change back to `null`, with the next opening.
   *
   * @default null
   */
  multicast_interface: string | null
  /**
   * Whether an IPv6 socket is one for IPv6 only. Otherwise the host '' or '::' means both families.
   * A name is looked up among the IPv6 addresses.
   *
   * - Takes effect: with the next `listen` or `connect`, which throws `UnsupportedOptionError` for
   *   an IPv4 address.
   *
   * @default false
   */
  // Source: IPV6_V6ONLY of RFC 3493.
  ipv6_only: boolean
  /**
   * How much the system keeps of what was received until the loop comes to read it; what does not
   * fit is lost. With `null` the system decides (on Linux 208 KiB, each packet with about 1 KiB for
   * its administration).
   *
   * - Unit: bytes, at least 1. It is no limit of sluice: that is `senders_buffer_size`.
   * - Takes effect: at once; a change back to `null`, with the next opening.
   * - If the system gives less (Linux: more than `net.core.rmem_max`), an assignment throws
   *   `UnsupportedOptionError`, and opening fails with it.
   *
   * @default null
   */
  // Source: SO_RCVBUF of POSIX. Differs: there the program is not told that it got less.
  socket_recv_buffer_size: Bytes | null
  /**
   * How much the system keeps of what is to be sent. `send_buffer_size` is another limit, that of
   * sluice.
   *
   * - Unit, effect and errors: as `socket_recv_buffer_size` (Linux: `net.core.wmem_max`).
   *
   * @default null
   */
  // Source: SO_SNDBUF of POSIX.
  socket_send_buffer_size: Bytes | null
}

/** The values of all settings of one datagram, as they are kept. */
export type DatagramValues = Readonly<DatagramSettings>

/**
 * How many bytes a packet counts towards a bound besides its own: its headers (IPv4 20, UDP 8).
 * Without them any number of empty packets would fit.
 */
export const PACKET_OVERHEAD: Bytes = 28

/** The defaults. */
export const DATAGRAM_DEFAULTS: DatagramValues = {
  read_delimiter: STREAM_DEFAULTS.read_delimiter,
  whole_packets: false,
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
  multicast_ttl: 1,
  multicast_loopback: true,
  multicast_interface: null,
  ipv6_only: false,
  socket_recv_buffer_size: null,
  socket_send_buffer_size: null,
}

/** For each setting: returns the value as it is kept, or throws if it is invalid. */
export const DATAGRAM_CHECKS: {
  readonly [Name in keyof DatagramValues]: (name: string, value: unknown) => DatagramValues[Name]
} = {
  read_delimiter: (name, value) => {
    if (value === 0)
      throw new InvalidDelimiterError('a count for a datagram must be at least 1', value)
    return STREAM_CHECKS.read_delimiter(name, value)
  },
  whole_packets: checkBoolean,
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
  ipv6_only: checkBoolean,
  socket_recv_buffer_size: checkSystemSize,
  socket_send_buffer_size: checkSystemSize,
}

/** The system takes an int of C. */
function checkSystemSize(name: string, value: unknown): Bytes | null {
  if (value === null || (Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31))
    return value as Bytes | null
  throw new InvalidArgumentError(name, 'a number of bytes, 1 to 2147483647, or null', value)
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

/** Does this setting change what a read is, or how much is kept? */
export function isReading(name: string): boolean {
  return [
    'read_delimiter',
    'whole_packets',
    'regex_search',
    'encoding',
    'buffer_size',
    'max_senders',
    'senders_buffer_size',
  ].includes(name)
}
