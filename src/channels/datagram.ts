/**
 * Layer 5. Datagram: packets to and from any number of peers (UDP), with settings, calls and hooks.
 * What happens between them is in datagram-link.ts.
 *
 * In the order of a life: settings, listen and connect, write, groups, what can be asked, close,
 * hooks.
 */

import { formatAddress, parseAddress } from '../core/address.ts'
import type { ReadArguments, ReadDelimiter } from '../core/delimiters.ts'
import { InvalidAddressError, InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { Endpoint } from '../transport.ts'
import type { Address, Bytes, Data, Encoding, Milliseconds, SocketAddress } from '../types.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { DatagramLink } from './datagram-link.ts'
import type { DatagramError, PacketDropReason } from './datagram-error.ts'
import {
  DATAGRAM_CHECKS,
  DATAGRAM_DEFAULTS,
  type DatagramSettings,
  type DatagramValues,
} from './datagram-settings.ts'
import { LIFE } from './life.ts'
import { isOfOneFamily, packetOptions } from './packet-options.ts'
import { adoptFields, applyOptions, defineSettings, settingsFrom } from './settings.ts'

export type { DatagramError, PacketDropReason } from './datagram-error.ts'

/** What a Datagram can be given when it is made: every setting. */
export interface DatagramOptions extends ChannelOptions, Partial<DatagramValues> {}

/**
 * The arguments that `on_read` of a Datagram gets: those that the delimiter makes, and who sent
 * them.
 */
export type DatagramArguments<By extends ReadDelimiter> = ReadDelimiter extends By
  ? any[]
  : [...data: ReadArguments<By>, remote_address: SocketAddress]

type Place = Extract<Endpoint, { kind: 'ip' }>

/**
 * Packets to and from any number of peers, over UDP. It is connectionless: one channel is normally
 * enough for a whole protocol.
 *
 *     class Echo extends Datagram {
 *       override on_read(data: Buffer) { this.write(data) }
 *     }
 *     new Echo().listen(4040)
 *
 * Nothing that a peer sends, or refuses, closes it: an error is told to its hook, by default
 * logged, and it goes on. `By` is the type of `read_delimiter` where that never changes, as with
 * Stream.
 *
 * Source: Pants `datagram.Datagram`.
 */
export class Datagram<By extends ReadDelimiter = ReadDelimiter>
  extends Channel
  implements DatagramSettings<By>
{
  // The settings. DatagramSettings says what each of them means.
  declare read_delimiter: By
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

  readonly #link: DatagramLink

  /**
   * Throws for an option that cannot be. Calls no hook and opens nothing. `Differs:` Pants makes
   * its socket here.
   */
  constructor(options: DatagramOptions = {}) {
    super(options)
    this.#link = new DatagramLink(this as unknown as Datagram, DATAGRAM_DEFAULTS)
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
   * Begins to receive the packets sent to an address, and returns the datagram at once; `on_listen`
   * follows, or `on_listen_error`. A port alone, or the host '', is any host in both families (see
   * `ttl`); port 0 lets the system choose. Allowed whenever `state` is 'closed'. Throws
   * InvalidAddressError, InvalidStateError at any other time, UnsupportedOptionError for a setting
   * that cannot be. While the engine stops: InvalidStateError. Source: Pants `Datagram.listen`.
   */
  listen(address: Address): this {
    this.#checkIsClosed('listen()')
    const bind = place(address, 0)
    this.#open(bind)
    return this
  }

  /**
   * Talks to one peer only: `write` needs no address, nobody else is heard, and that nobody listens
   * there becomes known (ICMP; `on_write_error`, code ECONNREFUSED). Nothing is sent. Returns at
   * once; `on_connect` follows, or `on_connect_error`. Allowed and throwing as `listen`. Ours.
   */
  connect(address: Address): this {
    this.#checkIsClosed('connect()')
    const peer = place(address, 1)
    this.#open(undefined, peer)
    return this
  }

  #checkIsClosed(call: string): void {
    const { state } = this
    if (state === 'closed') return
    throw new InvalidStateError(
      call,
      `the datagram is ${state}`,
      state === 'closing' ? 'await its `closed` first' : 'close() it first, or make another',
    )
  }

  #open(bind: Place | undefined, connect?: Place): void {
    // Now, not in beginOpening: a socket that cannot be made must leave the state as it was.
    adoptFields(this)
    const options = packetOptions(this.#link.values)
    const isAny = connect === undefined && (bind?.host ?? '') === ''
    const at =
      isAny && isOfOneFamily(options)
        ? { kind: 'ip' as const, port: 0, ...bind, host: '0.0.0.0' }
        : bind
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
   * Sends one packet: text in `encoding`, or bytes, which must not be changed until they are sent;
   * nothing at all is a packet too. To `address`; without one to the connected peer, or, in
   * `on_read` and until its promise settles, back to the sender. It goes out once a turn of the
   * loop, together with the others of that turn; with `flush` at once. Allowed as soon as `listen`
   * or `connect` was called; a datagram that was never opened begins to listen on a port that the
   * system chooses.
   *
   * Returns true while less than `send_high_water` is queued; false: wait for `on_write`. Also
   * false, and the packet dropped, once it has closed or is closing. A packet that cannot be sent:
   * `on_write_error`. Throws InvalidArgumentError for what is neither text nor bytes,
   * InvalidAddressError, InvalidStateError where there is no address, or one though it is connected
   * to another. Source: Pants `Datagram.write`.
   */
  write(data: Data, address?: Address, flush = false): boolean {
    const { state } = this
    if (state === 'closing' || state === 'error' || (state === 'closed' && this.#link.wasAttached))
      return false
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new InvalidArgumentError('write: data', 'a string or a Uint8Array', data)
    const to = this.#destination(address)
    if (state === 'closed') this.#open(undefined)
    return this.#link.write(data, to, flush)
  }

  #destination(address: Address | undefined): Place | undefined {
    const { peer, sender, remote_address } = this.#link
    if (address === undefined) {
      if (peer !== undefined) return undefined
      if (sender === undefined)
        throw new InvalidStateError(
          'write()',
          'no address is given, and no packet is being read',
          'give one, or connect() first',
        )
      return place(sender as [string, number], 0)
    }
    const to = place(address, 1)
    if (peer === undefined) return to
    // A hook that always gives the address of the sender is right here too.
    const name = formatAddress(to)
    if (name === formatAddress(peer) || name === formatAddress(remote_address)) return undefined
    throw new InvalidStateError(
      'write()',
      `the datagram is connected to ${formatAddress(peer)}`,
      'leave the address out, or listen() instead',
    )
  }

  // ---- groups -----------------------------------------------------------------------------------

  /**
   * Receives what is sent to a multicast group, through one network interface (its address;
   * default: the system's choice). May be called at any time: it is remembered, and made again at
   * every opening; what the system refuses there is `on_listen_error`. A member already: nothing
   * happens. Throws InvalidArgumentError for what is no group or interface; while it is open, what
   * the system says (a ChannelError, code ENODEV …). Ours.
   */
  join(group: string, network_interface?: string): void {
    this.#link.groups.join(group, network_interface, this.#link.openSocket)
  }

  /** Undoes that `join`. Not a member: nothing happens. Throws as `join`. Ours. */
  leave(group: string, network_interface?: string): void {
    this.#link.groups.leave(group, network_interface, this.#link.openSocket)
  }

  // ---- what can be asked ------------------------------------------------------------------------

  /**
   * `[host, port]` of who sent what is being read: during `on_read` and until its promise settles,
   * and in `on_overflow_error` and `on_read_error`. Otherwise the connected peer (still there after
   * closing), or `undefined`. Source: Pants.
   */
  get remote_address(): SocketAddress | undefined {
    return this.#link.remote_address
  }

  /**
   * Where it receives: `[host, port]`; `undefined` before it is open. Still there after closing.
   */
  get local_address(): SocketAddress | undefined {
    return this.#link.local_address
  }

  /**
   * The descriptor of the socket; `undefined` where there is none, or it is closed. Source: Pants
   * `fileno`.
   */
  get fileno(): number | undefined {
    return this.#link.fileno
  }

  /** Bytes received in this opening, or the last one; what was dropped counts too. */
  get bytes_read(): Bytes {
    return this.#link.bytes_read
  }

  /** Bytes that the system has taken in this opening, or the last one. */
  get bytes_written(): Bytes {
    return this.#link.outbox.bytes_sent
  }

  /** Bytes written and not yet taken by the system. */
  get bytes_queued(): Bytes {
    return this.#link.outbox.bytes
  }

  /** Packets, counted as `bytes_read`. */
  get packets_read(): number {
    return this.#link.packets_read
  }

  /** Packets, counted as `bytes_written`. */
  get packets_written(): number {
    return this.#link.outbox.packets_sent
  }

  /**
   * Packets of these that came while reads were held, and found no room to wait in; each was told
   * to `on_drop`.
   */
  get packets_dropped(): number {
    return this.#link.packets_dropped
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what is not sent is dropped, and nothing is read any more. With `flush`, as
   * `end()`: sends what is queued first, within `end_timeout` (then the reason is 'timeout'), also
   * where it is not open yet (`opened` rejects all the same). `on_close` follows in a later turn.
   * Not open: nothing happens. Closing politely already: `close()` cuts that short. Source: Pants
   * `Datagram.close`; `Differs:` there `flush` has no effect.
   */
  override close(flush = false): void {
    const { state } = this
    if (state === 'closed') return
    if (flush && (state === 'active' || state === 'opening')) this.#link.end()
    else if (!flush || state !== 'closing') this.#link.abort()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called once for every opening by `listen` (or by `write`), when packets can come. Default:
   * nothing. Source: Pants, whose guide promises it.
   */
  on_listen(): void | Promise<void> {}

  /** Called once for every opening by `connect`. Default: nothing. Ours. */
  on_connect(): void | Promise<void> {}

  /**
   * Called with each read, as `read_delimiter` cuts them, and the address of who sent it:
   * `on_read(data, remote_address)`; a Struct gives its fields, and the address last. Everything
   * may be done inside. No further read, of any sender, is delivered before it returns, nor, if it
   * returns a promise, before that settles: what comes meanwhile waits, up to
   * `senders_buffer_size`. Default: drops the data. Source: Pants.
   */
  on_read(..._data: DatagramArguments<By>): void | Promise<void> {}

  /**
   * Called when everything that was written has been handed to the system, or refused by it.
   * Default: nothing.
   */
  on_write(): void | Promise<void> {}

  /**
   * Called when something that had been received was dropped: why, whose, and how many bytes.
   * Default: nothing. Ours.
   */
  on_drop(
    _reason: PacketDropReason,
    _remote_address: SocketAddress,
    _bytes: Bytes,
  ): void | Promise<void> {}

  /**
   * Called when the address cannot be listened on (in use, no permission …). The datagram closes,
   * whatever this does. Default: `on_error`. Ours.
   */
  on_listen_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when `connect` failed (a name that cannot be resolved, no route …). The datagram closes,
   * whatever this does. Default: `on_error`. Ours.
   */
  on_connect_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when the delimiter threw: unless this sets another one, what that sender
   * (`error.remote_address`) has sent and was not delivered is dropped. Also when the socket itself
   * failed; then the datagram closes. Default: `on_error`. Ours.
   */
  on_read_error(error: DatagramError): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when a packet could not be sent (too long: EMSGSIZE; EACCES; a name that cannot be
   * resolved …), or has come back as refused from the connected peer (ECONNREFUSED).
   * `error.remote_address` says to whom. The datagram goes on: that says nothing about other
   * packets. Default: `on_error`. Ours.
   */
  on_write_error(error: DatagramError): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when a buffer goes over its bound; `error.buffer` says which, `error.remote_address`
   * whose. 'receive': a message longer than `buffer_size`; unless this changes a setting so that it
   * can be read, what that sender has sent is dropped. 'send': the write was dropped. Default:
   * `on_error`. Source: Pants; `Differs:` there any sender closes the datagram so.
   */
  on_overflow_error(error: DatagramError): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called with every error whose own hook was not overridden, and with what a hook threw or its
   * promise rejected with. Default: logs one line. `Differs:` it does not close, as other channels
   * do: what one sender sent, or made a hook throw, is no concern of the others.
   */
  override on_error(error: Error): void {
    this[LIFE].log(error)
  }
}

/** Throws InvalidAddressError unless it is one with a port from `least` on. */
function place(address: Address, least: number): Place {
  const endpoint = parseAddress(address)
  if (endpoint.kind !== 'ip')
    throw new InvalidAddressError('a datagram has a host and a port, not a path', address)
  if (endpoint.port < least) throw new InvalidAddressError('nothing can be sent to port 0', address)
  return endpoint
}
