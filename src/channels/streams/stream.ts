/**
 * Layer 5. Stream: one byte pipe to a peer. This file has the calls; what happens between them and
 * the hooks is in stream-link.ts.
 *
 * Where to find the rest of the class: its settings in stream-settings.ts, its options in
 * stream-options.ts, its hooks in stream-hooks.ts, the calls that a program awaits in
 * awaitable-stream.ts, what a program hands to it in adopting-stream.ts, and what a Datagram has
 * too in data-channel.ts.
 */

import type { FileHandle } from 'node:fs/promises'
import { types } from 'node:util'
import { checkBoolean } from '../../core/checks.ts'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import { noop } from '../../core/noop.ts'
import { FileItem } from '../../core/writing/file-item.ts'
import { isIntoPacker, type Packed, type Packer, takePacker } from '../../core/writing/packer.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsInfo, TlsOptions, Transport } from '../../transport.ts'
import type { Address, Bytes, Data, Encoding, Milliseconds } from '../../types.ts'
import { LIFE } from '../life.ts'
import { Accepted } from '../servers/accepted.ts'
import { adoptFields, applyOptions } from '../settings.ts'
import { SharedValues } from '../shared-values.ts'
import { AdoptingStream } from './adopting-stream.ts'
import { Attempt } from './attempt.ts'
import { linkOf } from './link-of.ts'
import { defineAccessors } from './stream-accessors.ts'
import { StreamLink } from './stream-link.ts'
import { checkMayConnect, checkMayStartTls, checkSocket, notConnected } from './stream-misuse.ts'
import {
  networkOptions,
  NO_SETTINGS,
  NO_SETTINGS_ACCEPTED,
  parseTarget,
  type StreamConnectOptions,
  type StreamOptions,
} from './stream-options.ts'
import {
  ACCEPTED_DEFAULTS,
  type KeepAlive,
  STREAM_DEFAULTS,
  type StreamSettings,
} from './stream-settings.ts'
import type { TextChecked } from './text-reads.ts'
import { demandOf, tlsTwice } from './tls-start.ts'

const UNCHANGED = new SharedValues(STREAM_DEFAULTS)
const ACCEPTED_UNCHANGED = new SharedValues(ACCEPTED_DEFAULTS)

/**
 * A stream of bytes to and from one peer, over TCP or a unix socket; see Client and Connection.
 *
 * `By` is the type of `read_delimiter`, for a typed `on_read`. It fits if the delimiter never
 * changes.
 *
 * @example
 * class Header extends Connection<Struct<'!LH'>> {
 *   override read_delimiter = new Struct('!LH')
 *   override on_read(length: number, kind: number) {}
 * }
 */
// Source: Pants `stream.Stream`.
export class Stream<By extends ReadDelimiter = ReadDelimiter>
  extends AdoptingStream<By>
  implements StreamSettings<By>
{
  // The settings. StreamSettings says what each of them means.
  declare read_delimiter: By
  declare regex_search: boolean
  declare overflow: 'hold' | 'skip'
  declare encoding: Encoding | null
  declare buffer_size: Bytes
  declare send_high_water: Bytes
  declare send_buffer_size: Bytes
  declare backpressure: boolean
  declare no_delay: boolean
  declare keep_alive: Milliseconds | false | KeepAlive
  declare tls: (TlsOptions & Partial<TlsInfo>) | null | undefined
  declare connect_timeout: Milliseconds
  declare handshake_timeout: Milliseconds
  declare read_timeout: Milliseconds
  declare write_timeout: Milliseconds
  declare idle_timeout: Milliseconds
  declare max_lifetime: Milliseconds
  declare end_timeout: Milliseconds

  /** Makes a stream and calls no hook. Throws InvalidArgumentError if an option is invalid. */
  constructor(options: StreamOptions = {}) {
    super(options)
    const { socket } = options
    const isAccepted = socket !== undefined
    const unchanged = isAccepted ? ACCEPTED_UNCHANGED : UNCHANGED
    this[LIFE].driver = new StreamLink(this[LIFE], unchanged, isAccepted)
    applyOptions(this, options, isAccepted ? NO_SETTINGS_ACCEPTED : NO_SETTINGS)
    if (socket !== undefined) takeOver(this, socket)
  }

  static {
    defineAccessors<Stream>(Stream.prototype, linkOf)
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Connects, and returns the stream at once. Then either `on_connect` or `on_connect_error` is
   * called, never both. A host name is resolved, and the addresses of both families are tried.
   *
   * It is allowed whenever `state` is 'closed', so also inside `on_close`. The stream begins with
   * an empty buffer, and without the settings that were assigned while it was open.
   *
   * Throws InvalidAddressError or InvalidArgumentError for an invalid address or option, and
   * InvalidStateError if the stream is not closed, was accepted by a server, or the engine stops.
   *
   * @example
   * await new Client({ encoding: 'utf8' }).connect(['localhost', 4040]).opened
   */
  // Source: Pants `Stream.connect`.
  connect(this: TextChecked, address: Address, options?: StreamConnectOptions): this
  connect(address: Address, options: StreamConnectOptions = {}): this {
    checkMayConnect(this.state, linkOf(this).isAccepted)
    const forNetwork = networkOptions(address, options, this.read_delimiter)
    const target = parseTarget(address)
    adoptFields(this)
    linkOf(this).target = target
    const { tls } = linkOf(this).values
    const demand = tls && demandOf(linkOf(this), tls)
    const life = this[LIFE]
    life.beginOpening()
    life.announceSoon()
    const transport = life.drive.network.connect(target, forNetwork)
    const attempt = new Attempt(life, this, target, options.signal)
    linkOf(this).attach(transport, () => attempt.stop(), demand)
    return this
  }

  /** Is it connected, and not closing? */
  get connected(): boolean {
    return this.state === 'active'
  }

  /** Is it connecting? */
  get connecting(): boolean {
    return this.state === 'opening'
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /**
   * Starts TLS, and returns the stream. The options are Node's: `ca`, `key`, `cert`, `servername`,
   * `ALPNProtocols` … Then `on_tls_handshake` or `on_tls_handshake_error` is called.
   *
   * - On a stream that is not connected yet, TLS begins with the first byte, now and whenever the
   *   stream connects again. `on_connect` is called after the handshake.
   * - On an open connection (STARTTLS), what was written before is sent in clear, and what is
   *   written afterwards waits for the handshake. Call it when you have read the peer's line that
   *   asks for TLS, and nothing after it: bytes that arrived in clear after that line are refused
   *   (`on_tls_handshake_error`, code ERR_TLS_UNASKED).
   *
   * The side that connected acts as the TLS client and verifies the certificate of the host it
   * connected to (for a unix socket: localhost).
   *
   * Throws InvalidArgumentError for invalid options, and InvalidStateError if TLS was started
   * already, or if the stream is closing or has closed for good.
   */
  // Source: Pants `Stream.startSSL`.
  start_tls(options: TlsOptions): this {
    const { state } = this
    checkMayStartTls(state, linkOf(this).isAccepted)
    const demand = demandOf(linkOf(this), options)
    if (state !== 'closed') linkOf(this).startTls(demand)
    else if (linkOf(this).values.tls === undefined) this.tls = options
    else throw tlsTwice()
    return this
  }

  // ---- writing ----------------------------------------------------------------------------------

  /**
   * Sends bytes, or text in `encoding`. The data is queued and goes out once in this turn of the
   * loop, together with everything else that is written in it; with `flush` it goes out at once.
   * Bytes must not be changed until they are sent.
   *
   * Returns true while less than `send_high_water` is queued. If it returns false, wait for
   * `on_write`; nothing is lost if you go on writing, up to `send_buffer_size`. It also returns
   * false, and drops the data, if the stream is closing or has closed: a peer may close at any
   * moment.
   *
   * Throws InvalidArgumentError for other data, and for text that is invalid in `encoding` (hex).
   * While it connects, the data is queued, and goes out before what `on_connect` writes. Throws
   * InvalidStateError before `connect`; in a server's TLS handshake it returns false.
   */
  // Source: Pants `Stream.write`.
  write(data: Data, flush = false): boolean {
    if (!flush && linkOf(this).writing.add(data)) return true
    if (!linkOf(this).mayWrite) return refuse(this, 'write()')
    if (typeof data !== 'string' && !types.isUint8Array(data))
      throw new InvalidArgumentError('write: data', 'a string or a Uint8Array', data)
    checkBoolean('write: flush', flush)
    return linkOf(this).writable().write(data, flush)
  }

  /**
   * Sends values packed by a Struct, a NetStruct, a `length_prefix()`, or any delimiter with
   * `pack`: by the one given first, or else by `read_delimiter`. If its reads are text, it writes
   * text in `encoding`, too.
   *
   * Returns and throws as `write`. Throws StructError for values that do not fit, and
   * InvalidArgumentError if there is nothing to pack them with.
   */
  // Source: Pants `Stream.write_packed`.
  write_packed<Format extends Packer>(
    format: Format,
    ...values: Parameters<Format['pack']>
  ): boolean
  write_packed(...values: readonly Packed[]): boolean
  write_packed(...values: unknown[]): boolean {
    const link = linkOf(this)
    if (!link.mayWrite) return refuse(this, 'write_packed()')
    const { read_delimiter, encoding } = link.values
    const packer = takePacker(values, read_delimiter, encoding)
    if (isIntoPacker(packer)) return link.writable().writePacked(packer, values)
    return this.write(packer.pack(...values))
  }

  /**
   * Sends a file, or a part of one, in its place among the other writes: `nbytes` bytes (0: all of
   * them) from `offset` on. If there are fewer, it sends what there is. A file given as a path or
   * URL is opened and closed here. A FileHandle or descriptor must stay open until it is sent, and
   * stays open.
   *
   * Returns as `write`, so false until the file has been sent. If the file is missing, is a
   * directory, or shrinks meanwhile, `on_write_error` is called (code ENOENT, EISDIR,
   * ERR_FILE_SHRANK …). Throws InvalidArgumentError for an invalid file, size or offset.
   */
  // Source: Pants `Stream.write_file`.
  write_file(
    file: string | URL | FileHandle | number,
    nbytes: Bytes = 0,
    offset: Bytes = 0,
    flush = false,
  ): boolean {
    if (!linkOf(this).mayWrite) return refuse(this, 'write_file()')
    checkBoolean('write_file: flush', flush)
    const source = this[LIFE].drive.files.read(file, offset, nbytes)
    return linkOf(this).writable().writeItem(new FileItem(source), flush)
  }

  /**
   * Sends what is queued now. Throws InvalidStateError before `connect`.
   */
  // Source: Pants `Stream.flush`.
  flush(): void {
    if (this.connected || linkOf(this).mayWrite) linkOf(this).writing.flush()
    else refuse(this, 'flush()')
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what is not sent is dropped, and nothing more is read. `on_close` is called in
   * a later turn. If the stream is not open, nothing happens.
   *
   * With `flush` it closes politely, as `end()` does: it sends what is queued, ends our side, and
   * waits until the peer has ended its own, all within `end_timeout` (then the reason is
   * 'timeout'). `close()` cuts that short.
   *
   * Closed politely while it connects, it connects first if anything was written, within
   * `connect_timeout`. `on_connect` is not called, and `opened` rejects all the same. If connecting
   * fails, `on_connect_error` is called.
   */
  // Source: Pants `Stream.close`.
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed' || (flush && state === 'closing')) return
    if (flush && (state === 'active' || state === 'opening')) linkOf(this).end()
    else linkOf(this).abort()
  }

  /**
   * Ends our side and goes on reading: sends what is queued, then our end (over TLS, close_notify).
   * The peer sees that nothing more comes, and can still answer. When it has ended its side as
   * well, the complete reads are delivered, `on_read_end` is called, and the stream closes.
   *
   * From now on `write` returns false and drops the data, and `state` stays 'active'. Called again,
   * or when the stream is closing or has closed, it does nothing. No timeout begins: set
   * `read_timeout` if the answer must come soon.
   *
   * While it connects, that waits until it is open. Throws InvalidStateError before `connect`.
   */
  // Source: shutdown(SHUT_WR) of POSIX; `end()` of Node's sockets with `allowHalfOpen`.
  half_close(): void {
    if (this.connected || linkOf(this).mayWrite) linkOf(this).halfClose()
    else refuse(this, 'half_close()')
  }
}

// No private methods: see link-of.ts.

function takeOver(stream: Stream<any>, socket: Transport): void {
  const connection = Accepted.of(socket)
  checkSocket(socket, connection.isTaken, stream.name)
  stream[LIFE].beginOpening()
  linkOf(stream).attach(connection.take(linkOf(stream)), noop, connection.demand)
  // The fields of subclasses are not there yet while this constructor runs. on_state is told of
  // 'opening' when they are.
  queueMicrotask(() => adopt(stream))
}

function adopt(stream: Stream<any>): void {
  // Its constructor, or the code that called it, may have closed it.
  if (stream.state !== 'opening') return
  try {
    adoptFields(stream)
    const { tls } = linkOf(stream).values
    if (tls !== undefined) linkOf(stream).demandTls(demandOf(linkOf(stream), tls))
  } catch (error) {
    // A class field has an invalid value.
    return stream[LIFE].fail('on_error', error as Error)
  }
  linkOf(stream).opened()
}

/**
 * A write after the stream was open is dropped. A write before it connects is a mistake of the
 * program. So is one in the constructor of an accepted connection, but not one during its
 * handshake: a program that writes to all channels of its server cannot know about each.
 */
function refuse(stream: Stream<any>, call: string): false {
  const { isShakingHands, isSideOpen } = linkOf(stream)
  const isTooEarly =
    (stream.state === 'opening' && isSideOpen && !(linkOf(stream).isAccepted && isShakingHands)) ||
    (stream.state === 'closed' && !linkOf(stream).wasAttached)
  if (isTooEarly) throw notConnected(call)
  return false
}
