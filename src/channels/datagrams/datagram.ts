/**
 * Layer 5. Datagram: packets to and from any number of peers (UDP). This file has the calls; what
 * happens between them and the hooks is in datagram-link.ts.
 *
 * Where to find the rest of the class: its settings in datagram-settings.ts, its hooks in
 * datagram-hooks.ts, and in data-channel.ts what a Stream has too.
 *
 * In the order of a life: listen and connect, write, groups, what can be asked, close.
 */

import { types } from 'node:util'
import { formatAddress, parseAddress } from '../../core/address.ts'
import { checkBoolean, checkClosed } from '../../core/checks.ts'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkAddressOptions } from '../../core/options.ts'
import { textBytes } from '../../core/writing/text-bytes.ts'
import { InvalidAddressError, InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import type { Endpoint } from '../../transport.ts'
import type { Address, Bytes, Data, Encoding, Milliseconds, SocketAddress } from '../../types.ts'
import type { ChannelOptions } from '../channel.ts'
import { LIFE } from '../life.ts'
import { adoptFields, applyOptions, defineSettings, settingsFrom } from '../settings.ts'
import { DatagramHooks } from './datagram-hooks.ts'
import { DatagramLink } from './datagram-link.ts'
import {
  DATAGRAM_CHECKS,
  DATAGRAM_DEFAULTS,
  type DatagramSettings,
  type DatagramValues,
} from './datagram-settings.ts'
import type { GroupOptions } from './groups.ts'
import { anyHostOf, packetOptions } from './packet-options.ts'

/** The options of a Datagram: every setting, `engine` and `name`. */
export interface DatagramOptions extends ChannelOptions, AsOptions<DatagramValues> {}

type Place = Extract<Endpoint, { kind: 'ip' }>

/**
 * Packets to and from any number of peers, over UDP. There are no connections: one channel is
 * normally enough for a whole protocol.
 *
 * Nothing that a peer sends or refuses closes it. An error is told to its hook, which logs it by
 * default, and the datagram goes on.
 *
 * `By` is the type of `read_delimiter`, for a typed `on_read`. It fits if the delimiter never
 * changes.
 *
 * @example
 * class Echo extends Datagram {
 *   override on_read(data: Buffer) {
 *     this.write(data)
 *   }
 * }
 * new Echo().listen(4040)
 */
// Source: Pants `datagram.Datagram`.
export class Datagram<By extends ReadDelimiter = ReadDelimiter>
  extends DatagramHooks<By>
  implements DatagramSettings<By>
{
  // The settings. DatagramSettings says what each of them means.
  declare read_delimiter: By
  declare whole_packets: boolean
  declare regex_search: boolean
  declare encoding: Encoding | null
  declare buffer_size: Bytes
  declare max_senders: number
  declare senders_buffer_size: Bytes
  declare send_high_water: Bytes
  declare send_buffer_size: Bytes
  declare end_timeout: Milliseconds
  declare broadcast: boolean
  declare reuse_address: boolean
  declare ttl: number | null
  declare multicast_ttl: number
  declare multicast_loopback: boolean
  declare multicast_interface: string | null
  declare ipv6_only: boolean
  declare socket_recv_buffer_size: Bytes | null
  declare socket_send_buffer_size: Bytes | null

  readonly #link: DatagramLink

  /**
   * Makes a datagram, opens nothing and calls no hook. Throws InvalidArgumentError if an option is
   * invalid.
   */
  // Differs: Pants makes its socket here.
  constructor(options: DatagramOptions = {}) {
    super(options)
    this.#link = new DatagramLink(this[LIFE], DATAGRAM_DEFAULTS)
    this[LIFE].driver = this.#link
    applyOptions(this, options, ['engine', 'name'])
  }

  static {
    defineSettings<Datagram>(
      Datagram.prototype,
      settingsFrom(
        DATAGRAM_CHECKS,
        datagram => datagram.#link.values,
        (datagram, name, value) => datagram.#link.assign(name as keyof DatagramValues, value),
      ),
    )
  }

  // ---- listening and connecting -----------------------------------------------------------------

  /**
   * Begins to receive the packets that are sent to an address, and returns the datagram at once.
   * Then `on_listen` or `on_listen_error` is called.
   *
   * A port alone, or the host '', means any host in both families (but see `ttl`). With port 0 the
   * system chooses the port. It is allowed whenever `state` is 'closed'.
   *
   * Throws InvalidAddressError for an invalid address, InvalidArgumentError for a second argument,
   * InvalidStateError if the datagram is not closed or the engine stops, and UnsupportedOptionError
   * for a setting that the system cannot honour.
   */
  // Source: Pants `Datagram.listen`.
  listen(address: Address): this {
    checkAddressOptions('listen', address, arguments[1] ?? {}, [])
    checkClosed('listen()', 'datagram', this.state)
    const bind = place(address, 0)
    this.#open(bind)
    return this
  }

  /**
   * Talks to one peer only, and returns the datagram at once. Then `on_connect` or
   * `on_connect_error` is called. Nothing is sent.
   *
   * `write` needs no address then, and packets of all others are ignored. If nobody listens at the
   * peer's port, that becomes known: `on_write_error` is called with the code ECONNREFUSED.
   *
   * It is allowed, and throws, as `listen`.
   */
  connect(address: Address): this {
    checkAddressOptions('connect', address, arguments[1] ?? {}, [])
    checkClosed('connect()', 'datagram', this.state)
    const peer = place(address, 1)
    this.#open(undefined, peer)
    return this
  }

  #open(bind: Place | undefined, connect?: Place): void {
    // A socket that cannot be made must leave the state as it was, so it is made first.
    adoptFields(this)
    const options = packetOptions(this.#link.values)
    const isAny = connect === undefined && (bind?.host ?? '') === ''
    const host = isAny ? anyHostOf(options) : undefined
    const at = host === undefined ? bind : { kind: 'ip' as const, port: 0, ...bind, host }
    const socket = this[LIFE].drive.network.packets({
      ...options,
      ...(at && { bind: at }),
      ...(connect && { connect }),
    })
    try {
      this.#link.groups.joinAll(socket)
      this[LIFE].beginOpening()
      this[LIFE].announceSoon()
    } catch (error) {
      socket.destroy()
      throw error
    }
    this.#link.attach(socket, connect)
  }

  /** Is it open, and not connected to one peer? */
  get listening(): boolean {
    return this.state === 'active' && this.#link.peer === undefined
  }

  /** Is it open, and connected to one peer? */
  get connected(): boolean {
    return this.state === 'active' && this.#link.peer !== undefined
  }

  // ---- writing ----------------------------------------------------------------------------------

  /**
   * Sends one packet: bytes, or text in `encoding`. An empty packet is a packet, too. It goes out
   * once in this turn of the loop, together with the others of the turn; with `flush` it goes out
   * at once. Bytes must not be changed until they are sent.
   *
   * Without an address it goes to the connected peer. In `on_read`, and until the promise of that
   * hook settles, it goes back to the sender. A datagram that was never opened begins to listen, on
   * a port that the system chooses.
   *
   * Returns true while less than `send_high_water` is queued. If it returns false, wait for
   * `on_write`. It also returns false, and drops the packet, if the datagram is closing or has
   * closed. If a packet cannot be sent, `on_write_error` is called.
   *
   * Throws InvalidArgumentError for anything but text and bytes, and for text that is not valid in
   * `encoding` (hex, base64). Throws InvalidAddressError for an invalid address, and
   * InvalidStateError if there is no address, or another one than that of the connected peer.
   */
  // Source: Pants `Datagram.write`.
  write(data: Data, address?: Address, flush = false): boolean {
    const { state } = this
    if (state === 'closing' || state === 'error' || (state === 'closed' && this.#link.wasAttached))
      return false
    if (typeof data !== 'string' && !types.isUint8Array(data))
      throw new InvalidArgumentError('write: data', 'a string or a Uint8Array', data)
    const encoding = this.#link.values.encoding ?? 'utf8'
    const bytes = typeof data === 'string' ? textBytes('write: data', data, encoding) : data
    const to = this.#destination(address)
    if (state === 'closed') this.#open(undefined)
    return this.#link.write(bytes, to, flush)
  }

  #destination(address: Address | undefined): Place | undefined {
    const { peer, reading } = this.#link
    if (address === undefined) {
      if (peer !== undefined) return undefined
      if (reading.sender === undefined)
        throw new InvalidStateError(
          'write()',
          'no address is given, and no packet is being read',
          'give one, or connect() first',
        )
      const [host, port] = reading.sender as [string, number]
      return { kind: 'ip', host, port }
    }
    const to = place(address, 1)
    if (peer === undefined) return to
    // A hook that always gives the address of the sender works here, too.
    const name = formatAddress(to)
    if (name === formatAddress(peer) || name === formatAddress(this.remote_address))
      return undefined
    throw new InvalidStateError(
      'write()',
      `the datagram is connected to ${formatAddress(peer)}`,
      'leave the address out, or listen() instead',
    )
  }

  // ---- groups -----------------------------------------------------------------------------------

  /**
   * Receives what is sent to a multicast group: by anybody, or by one `source` alone. A string is
   * the `network_interface`.
   *
   * It may be called at any time. The membership is remembered and made again at every opening; if
   * the system refuses it there, `on_listen_error` is called. Joining twice does nothing.
   *
   * Throws InvalidArgumentError for an invalid group or option. While the datagram is open, it
   * throws the error of the system (a ChannelError, code ENODEV …).
   */
  join(group: string, options: string | GroupOptions = {}): void {
    this.#link.groups.join(group, options, this.#link.openSocket)
  }

  /**
   * Leaves a multicast group. The options must be the same as for `join`. If it is no member,
   * nothing happens. Throws as `join`.
   */
  leave(group: string, options: string | GroupOptions = {}): void {
    this.#link.groups.leave(group, options, this.#link.openSocket)
  }

  // ---- what can be asked ------------------------------------------------------------------------

  /**
   * The sender of what is being read, as `[host, port]`: in `on_read` until its promise settles, in
   * `on_overflow_error` and in `on_read_error`. Otherwise it is the connected peer, which is kept
   * after closing, or `undefined`.
   */
  // Source: Pants `Datagram.remote_address`.
  override get remote_address(): SocketAddress | undefined {
    return this.#link.remote_address
  }

  /** Packets received in this opening, or in the last one. What was dropped counts, too. */
  get packets_read(): number {
    return this.#link.reading.packets_read
  }

  /** Packets that the system has taken in this opening, or in the last one. */
  get packets_written(): number {
    return this.#link.outbox.packetsSent
  }

  /**
   * How many of `packets_read` were dropped because they came while reads were held and found no
   * room to wait in. `on_drop` was called for each.
   */
  get packets_dropped(): number {
    return this.#link.reading.packets_dropped
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what is not sent is dropped, and nothing more is read. `on_close` is called in
   * a later turn. If the datagram is not open, nothing happens.
   *
   * With `flush` it closes politely, as `end()` does: it sends what is queued first, within
   * `end_timeout` (then the reason is 'timeout'). That also works while it is opening; `opened`
   * rejects all the same. `close()` cuts it short.
   */
  // Source: Pants `Datagram.close`. Differs: there `flush` has no effect.
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed') return
    if (flush && (state === 'active' || state === 'opening')) this.#link.end()
    else if (!flush || state !== 'closing') this.#link.abort()
  }
}

/** The address of a host and a port of at least `least`. Throws InvalidAddressError otherwise. */
function place(address: Address, least: number): Place {
  const endpoint = parseAddress(address)
  if (endpoint.kind !== 'ip')
    throw new InvalidAddressError('a datagram has a host and a port, not a path', address)
  if (endpoint.port < least) throw new InvalidAddressError('nothing can be sent to port 0', address)
  return endpoint
}
