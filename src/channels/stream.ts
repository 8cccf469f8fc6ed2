/**
 * Layer 5. Stream: one byte pipe to a peer, with settings, calls and hooks. What happens between
 * them is in link.ts.
 *
 * In the order of a life: settings, connect, write, what can be asked, close, hooks.
 */

import type { FileHandle } from 'node:fs/promises'
import { formatAddress, parseAddress } from '../core/address.ts'
import { noop } from '../core/noop.ts'
import type { IntoPacker } from '../core/write-run.ts'
import type { Delimiter, ReadArguments, ReadDelimiter } from '../core/delimiters.ts'
import { fileItem, tlsContext } from '../engine.ts'
import {
  ConnectError,
  InvalidAddressError,
  InvalidArgumentError,
  InvalidStateError,
} from '../errors.ts'
import type { Endpoint, TlsInfo, TlsOptions, Transport } from '../transport.ts'
import type {
  Address,
  Bytes,
  Data,
  Encoding,
  Milliseconds,
  SocketAddress,
  TimeoutKind,
} from '../types.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { LIFE } from './life.ts'
import { giveUp, timeOut } from './timeouts.ts'
import { Link } from './link.ts'
import {
  adoptFields,
  applyOptions,
  checkBoolean,
  defineSettings,
  type Setting,
  settingsFrom,
} from './settings.ts'
import { SharedValues } from './shared-values.ts'
import {
  ACCEPTED_DEFAULTS,
  STREAM_CHECKS,
  STREAM_DEFAULTS,
  type StreamSettings,
  type StreamValues,
} from './stream-settings.ts'
import { demandTls, type TlsDemand, tlsTwice } from './tls-start.ts'

/** What a Stream can be given when it is made: every setting, and the socket it takes over. */
export interface StreamOptions extends ChannelOptions, Partial<StreamValues> {
  /**
   * A connection that a server accepted (what `on_accept` gets). The stream is connected then, and
   * `on_connect` comes soon.
   */
  readonly socket?: Transport
}

/** How to connect. */
export interface StreamConnectOptions {
  /** Gives the attempt up; once connected it does nothing. */
  readonly signal?: AbortSignal
  /** The address to connect from. Default: the system's choice. */
  readonly local_address?: readonly [host: string, port: number]
  /** Resolves host names instead of `dns.lookup`; Node's `lookup` option as it is. */
  readonly lookup?: unknown
}

const CONNECT_OPTIONS: readonly string[] = [
  'signal',
  'local_address',
  'lookup',
] satisfies (keyof StreamConnectOptions)[]

const UNCHANGED = new SharedValues(STREAM_DEFAULTS)
const ACCEPTED_UNCHANGED = new SharedValues(ACCEPTED_DEFAULTS)

/** The option names that are no settings. */
const OTHERS = ['engine', 'name', 'socket', 'server'] as const

/**
 * A stream of bytes to and from one peer, over TCP or a unix socket. Low-level: Client and
 * Connection are what most programs subclass.
 *
 * `By` is the type of `read_delimiter` where that never changes, for a typed `on_read`:
 * `class Header extends Connection<Struct<'!LH'>>` has `on_read(a: number, b: number)`.
 *
 * Source: Pants `stream.Stream`.
 */
export class Stream<By extends ReadDelimiter = ReadDelimiter>
  extends Channel
  implements StreamSettings<By>
{
  // The settings. StreamSettings says what each of them means.
  declare read_delimiter: By
  declare regex_search: boolean
  declare encoding: Encoding | null
  declare buffer_size: Bytes
  declare send_high_water: Bytes
  declare send_buffer_size: Bytes
  declare backpressure: boolean
  declare no_delay: boolean
  declare keep_alive: Milliseconds | false
  declare tls: (TlsOptions & Partial<TlsInfo>) | undefined
  declare connect_timeout: Milliseconds
  declare handshake_timeout: Milliseconds
  declare read_timeout: Milliseconds
  declare write_timeout: Milliseconds
  declare idle_timeout: Milliseconds
  declare max_lifetime: Milliseconds
  declare end_timeout: Milliseconds

  readonly #link: Link
  readonly #isAccepted: boolean
  /** Where it connects to, or has. */
  #target: Endpoint | undefined

  /** Throws for an option that cannot be. Calls no hook. */
  constructor(options: StreamOptions = {}) {
    super(options)
    const { socket } = options
    this.#isAccepted = socket !== undefined
    this.#link = new Link(
      this as unknown as Stream,
      socket === undefined ? UNCHANGED : ACCEPTED_UNCHANGED,
    )
    this[LIFE].driver = this.#link
    applyOptions(this, options, OTHERS)
    if (socket !== undefined) {
      if (typeof socket?.resume !== 'function')
        throw new InvalidArgumentError('socket', 'a connection that on_accept got', socket)
      if (socket.sink instanceof Link)
        throw new InvalidStateError(
          `new ${this.name}`,
          'its socket was taken over already',
          'make one channel of each',
        )
      this[LIFE].beginOpening()
      this.#link.attach(socket, noop)
      // The fields of subclasses are not there yet while this constructor runs. on_state is told
      // of 'opening' when they are.
      queueMicrotask(() => this.#adopt(socket))
    }
  }

  static {
    const settings = settingsFrom<Stream>(
      STREAM_CHECKS,
      stream => stream.#link.values,
      (stream, name, value) => stream.#link.assign(name as keyof StreamValues, value),
    )
    defineSettings<Stream>(Stream.prototype, {
      ...settings,
      tls: { ...(settings.tls as Setting<Stream>), get: stream => stream.#link.tls },
    })
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Connects, and returns the stream at once; `on_connect` follows, or `on_connect_error`, never
   * both. Host names are resolved and both families tried. Allowed whenever `state` is 'closed', so
   * also inside `on_close`; starts with a clean buffer. Throws InvalidAddressError, and
   * InvalidStateError at any other time or for a stream that was accepted. Source: Pants
   * `Stream.connect`.
   */
  connect(address: Address, options: StreamConnectOptions = {}): this {
    this.#checkMayConnect()
    const endpoint = parseAddress(address)
    if (endpoint.kind === 'ip' && endpoint.port === 0)
      throw new InvalidAddressError('nothing can be connected to at port 0', address)
    checkConnectOptions(options)
    const { signal, local_address, lookup } = options
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new InvalidArgumentError('connect: signal', 'an AbortSignal', signal)
    if (lookup !== undefined && typeof lookup !== 'function')
      throw new InvalidArgumentError('connect: lookup', 'a function', lookup)
    const local = local_address === undefined ? undefined : parseAddress(local_address)
    if (local?.kind === 'unix')
      throw new InvalidAddressError('connect: local_address must be [host, port]', local_address)
    adoptFields(this)
    this.#target = endpoint
    const { tls } = this.#link.values
    const demand = tls && this.#demand(tls)
    this[LIFE].beginOpening()
    this[LIFE].announceSoon()
    const transport = this[LIFE].drive.network.connect(endpoint, {
      ...(local && { local }),
      ...(lookup !== undefined && { lookup }),
    })
    if (demand !== undefined) demandTls(transport, demand)
    this.#link.attach(transport, this.#limitAttempt(endpoint, signal))
    return this
  }

  #checkMayConnect(): void {
    if (this.#isAccepted)
      throw new InvalidStateError(
        'connect()',
        'this stream was accepted by a server',
        'a Client connects',
      )
    if (this.state !== 'closed') {
      throw new InvalidStateError(
        'connect()',
        `the stream is ${this.state}`,
        this.state === 'closing' ? 'await its `closed` first' : 'close() it first',
      )
    }
  }

  /** Ends the attempt when its time has run out or its signal says so; returns what stops both. */
  #limitAttempt(to: Endpoint, signal: AbortSignal | undefined): () => void {
    let cancel = noop
    let isOver = false
    const limit = (): void => {
      const { connect_timeout } = this
      if (isOver || connect_timeout === Infinity) return
      cancel = this[LIFE].drive.after(connect_timeout, () => {
        timeOut(this[LIFE], 'connect')
        // on_timeout may have let it go on.
        limit()
      })
    }
    limit()
    const onAbort = (): void => {
      const error = new ConnectError(
        'ERR_ABORTED',
        `connecting to ${formatAddress(to)} was given up by its signal`,
        signal?.reason,
      )
      this[LIFE].fail('on_connect_error', error)
    }
    // An event of a signal comes inside abort(), which may be called anywhere: the hook has to
    // wait, but not for a turn, in which the attempt could still succeed.
    const abort = (): void => queueMicrotask(() => !isOver && onAbort())
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return () => {
      cancel()
      isOver = true
      signal?.removeEventListener('abort', abort)
    }
  }

  #adopt(socket: Transport): void {
    // Its constructor, or whoever called that, may have closed it.
    if (this.state !== 'opening') return
    try {
      adoptFields(this)
      const { tls } = this.#link.values
      if (tls !== undefined) demandTls(socket, this.#demand(tls))
    } catch (error) {
      // A class field that no setting can have.
      return this[LIFE].fail('on_error', error as Error)
    }
    this.#link.opened('accept')
  }

  /** Is it connected and not closing? */
  get connected(): boolean {
    return this.state === 'active'
  }

  /** Is it connecting? */
  get connecting(): boolean {
    return this.state === 'opening'
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /**
   * Starts TLS, with Node's TLS options as they are (`ca`, `key`, `cert`, `servername`,
   * `ALPNProtocols` …); returns the stream. Before connecting: from the first byte on, now and
   * whenever it connects again. On a connection that stands (STARTTLS): what was written before
   * goes out in clear, what is written after waits for the handshake. `on_tls_handshake` follows,
   * before `on_connect` if that is to come, or `on_tls_handshake_error`. Who connected is the
   * client, and verifies the certificate of the host it connected to (of a unix socket: localhost).
   *
   * Call it when the peer's line that asks for TLS has been read and nothing else: bytes that came
   * in clear behind that line are refused (`on_tls_handshake_error`, ERR_TLS_UNASKED). Throws
   * InvalidArgumentError for options that cannot be, InvalidStateError when TLS was started already
   * or the stream is closing or has closed for good. Source: Pants `startSSL`.
   */
  start_tls(options: TlsOptions): this {
    const { state } = this
    const isOver =
      state === 'closing' || state === 'error' || (state === 'closed' && this.#isAccepted)
    if (isOver)
      throw new InvalidStateError(
        'start_tls()',
        `the stream is ${state}`,
        'start TLS while it is open, or before it is',
      )
    const demand = this.#demand(options)
    if (state !== 'closed') this.#link.startTls(demand)
    else if (this.#link.values.tls === undefined) this.tls = options
    else throw tlsTwice()
    return this
  }

  #demand(options: TlsOptions): TlsDemand {
    const target = this.#target
    const host = target?.kind === 'ip' && target.host !== '' ? target.host : 'localhost'
    return { context: tlsContext(this.#isAccepted ? 'server' : 'client', options), host }
  }

  // ---- writing ----------------------------------------------------------------------------------

  /**
   * Sends data, text in `encoding`. It is queued, and goes out once a turn of the loop together
   * with everything else that was written in it; with `flush` at once. Bytes must not be changed
   * until they are sent.
   *
   * Returns true while less than `send_high_water` is queued; false: wait for `on_write` (nothing
   * is lost if you do not, up to `send_buffer_size`). Also false, and the data dropped, once the
   * stream has closed or is closing: a peer may close at any moment. Throws InvalidStateError
   * before it is connected (of a server's connection in its TLS handshake: false),
   * InvalidArgumentError for what is neither text nor bytes. Source: Pants `Stream.write`.
   */
  write(data: Data, flush = false): boolean {
    if (!flush && this.#link.add(data)) return true
    if (this.state !== 'active') return this.#refuse('write()')
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new InvalidArgumentError('write: data', 'a string or a Uint8Array', data)
    checkBoolean('write: flush', flush)
    return this.#link.write(data, flush)
  }

  /**
   * Sends values packed by a Struct (or NetStruct, `length_prefix()`, any delimiter with `pack`):
   * the one given first, or else the `read_delimiter`. Returns and throws as `write`, StructError
   * for values that do not fit, InvalidArgumentError where there is no Struct. Source: Pants
   * `Stream.write_packed`.
   */
  write_packed<Format extends Packer>(
    format: Format,
    ...values: Parameters<Format['pack']>
  ): boolean
  write_packed(...values: readonly Packed[]): boolean
  write_packed(...values: unknown[]): boolean {
    if (this.state !== 'active') return this.#refuse('write_packed()')
    const isGiven = isPacker(values[0])
    const format: unknown = isGiven ? values.shift() : this.read_delimiter
    if (!isPacker(format))
      throw new InvalidArgumentError(
        'write_packed',
        'called with a Struct first, or the read_delimiter be one',
        values[0],
      )
    if (isIntoPacker(format)) return this.#link.writePacked(format, values)
    return this.write(format.pack(...values))
  }

  /**
   * Sends a file, or a part of one, in its place among the other writes: `nbytes` bytes (0: all
   * there are) from `offset` on; where there are fewer, what there is. A path or URL is opened and
   * closed by sluice; a FileHandle or descriptor stays open, and must until it is sent.
   *
   * Returns as `write`, so false until the file has gone. A file that is missing, is a directory,
   * or shrinks meanwhile: `on_write_error` (code ENOENT, EISDIR, ERR_FILE_SHRANK …). Throws
   * InvalidArgumentError for what cannot be a file, a size or an offset. Source: Pants
   * `Stream.write_file`.
   */
  write_file(
    file: string | URL | FileHandle | number,
    nbytes: Bytes = 0,
    offset: Bytes = 0,
    flush = false,
  ): boolean {
    if (this.state !== 'active') return this.#refuse('write_file()')
    checkBoolean('write_file: flush', flush)
    return this.#link.writeItem(fileItem(file, nbytes, offset), flush)
  }

  /**
   * Sends what is queued now instead of at the end of the turn. Throws InvalidStateError before it
   * is connected. Source: Pants `Stream.flush`.
   */
  flush(): void {
    if (this.state === 'active') this.#link.flush()
    else this.#refuse('flush()')
  }

  /**
   * After it was open, a write is dropped; before, it is a mistake of the program. Not so while an
   * accepted connection's handshake runs: who writes to all channels of a server cannot know of
   * each.
   */
  #refuse(call: string): false {
    if (
      (this.state === 'opening' && !(this.#isAccepted && this.#link.isShakingHands)) ||
      (this.state === 'closed' && !this.#link.wasAttached)
    ) {
      throw new InvalidStateError(
        call,
        'the stream is not connected yet',
        'wait for on_connect, or await `opened`',
      )
    }
    return false
  }

  // ---- what can be asked ------------------------------------------------------------------------

  /**
   * The peer: `[host, port]`, or the path of a unix socket; `undefined` before connecting. Still
   * there after closing.
   */
  get remote_address(): SocketAddress | undefined {
    return this.#link.remote_address
  }

  /** This end of the connection, likewise. */
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

  /** Bytes received in this opening, or the last one. */
  get bytes_read(): Bytes {
    return this.#link.bytes_read
  }

  /** Bytes handed to the system in this opening, or the last one. */
  get bytes_written(): Bytes {
    return this.#link.bytes_written
  }

  /** Bytes written and not yet taken by the system; a file counts with what was read of it. */
  get bytes_queued(): Bytes {
    return this.#link.bytes_queued
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what is not sent is dropped, and no read is delivered any more. With `flush`,
   * as `end()`: sends what is queued, ends our side, waits until the peer has ended its own, all
   * within `end_timeout` (then the reason is 'timeout'). `on_close` follows in a later turn. Not
   * open: nothing happens. Closing politely already: `close()` cuts that short. Source: Pants
   * `Stream.close`.
   */
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed' || (flush && state === 'closing')) return
    if (flush && state === 'active') this.#link.end()
    else this.#link.abort()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called once for every opening, when the stream is connected. Default: nothing. Source: Pants.
   */
  on_connect(): void | Promise<void> {}

  /**
   * Called with each read, as `read_delimiter` cuts them. Everything may be done inside; no further
   * read is delivered before it returns, nor, if it returns a promise, before that settles.
   * Default: drops the data. Source: Pants.
   */
  on_read(..._data: ReadArguments<By>): void | Promise<void> {}

  /**
   * Called when everything that was written has been handed to the system. Default: nothing.
   * Source: Pants.
   */
  on_write(): void | Promise<void> {}

  /**
   * Called when the peer has ended its side, after the last whole read. Writing is still possible:
   * who overrides it keeps a half-closed connection open until it calls `end()` or `close()`.
   * Default: `end()`. Ours.
   */
  on_read_end(): void | Promise<void> {
    this.end()
  }

  /**
   * Called when connecting failed: refused, unreachable, unresolvable, `connect_timeout` (code
   * ERR_TIMEOUT), `signal` (ERR_ABORTED). The stream closes, whatever this does. Default:
   * `on_error`. Source: Pants.
   */
  on_connect_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when a timeout ran out: 'connect', 'handshake', 'read', 'write', 'idle' or 'lifetime'.
   * Default: makes an error of it (code ERR_TIMEOUT), which goes to `on_connect_error`,
   * `on_tls_handshake_error` or else `on_error`, and closes, with the reason 'timeout', whatever
   * that does. Overridden, the channel goes on unless this closes it, and that timeout begins anew.
   * Ours.
   */
  on_timeout(kind: TimeoutKind): void | Promise<void> {
    giveUp(
      this[LIFE],
      kind,
      this.#link.values,
      kind === 'connect' && this.#target !== undefined
        ? `connecting to ${formatAddress(this.#target)} `
        : '',
    )
  }

  /**
   * Called when the TLS handshake is done and the peer verified; `tls` tells more. Default:
   * nothing. Source: Pants `on_ssl_handshake`.
   */
  on_tls_handshake(): void | Promise<void> {}

  /**
   * Called once when a TLS handshake failed: the certificate (the message says which check, and
   * what to do), no version or cipher in common, what came was not TLS, `handshake_timeout`
   * (ERR_TIMEOUT). The stream closes, whatever this does. Default: `on_error`. Source: Pants
   * `on_ssl_handshake_error`.
   */
  on_tls_handshake_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when TLS broke on a connection that stood. The stream closes, whatever this does.
   * Default: `on_error`. Source: Pants `on_ssl_error`.
   */
  on_tls_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when receiving failed, a reset for example, or when a delimiter threw. After a failure
   * of the connection the stream closes. Default: `on_error`.
   */
  on_read_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when sending failed. After a failure of the connection the stream closes; after one of a
   * file it goes on unless this closes it. Default: `on_error`.
   */
  on_write_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called when a buffer goes over its bound; `error.buffer` says which. 'receive': nothing more is
   * read until `buffer_size` or `read_delimiter` is changed; nothing is dropped. 'send': the write
   * was dropped. Writing a last word and `end()` is fine. Default: `on_error`. Source: Pants.
   */
  on_overflow_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }
}

function checkConnectOptions(options: object): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('connect: options', 'an object', options)
  const unknown = Object.keys(options).find(name => !CONNECT_OPTIONS.includes(name))
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `connect option "${unknown}"`,
      `one of ${CONNECT_OPTIONS.join(', ')}`,
      (options as Record<string, unknown>)[unknown],
    )
  }
}

/**
 * What a field of a message can be. Not a Packer: values behind one are checked against its format.
 */
export type Packed = Data | number | bigint | boolean

/** What packs values into bytes: a Struct, a NetStruct, a `length_prefix()`. */
export interface Packer {
  pack(...values: any[]): Uint8Array
}

function isIntoPacker(packer: Packer & Partial<IntoPacker>): packer is IntoPacker {
  return packer.pack_into !== undefined
}

function isPacker(value: unknown): value is Packer {
  return (
    typeof (value as Packer | null | undefined)?.pack === 'function' &&
    typeof (value as Partial<Delimiter>).cut === 'function'
  )
}
