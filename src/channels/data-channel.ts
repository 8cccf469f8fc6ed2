/**
 * Layer 5. DataChannel: what a Stream and a Datagram have in common. The numbers and addresses that
 * can be asked for, and the hooks that both have, with what each does by default.
 */

import type { ConnectError, OverflowError, ReadError, WriteError } from '../errors.ts'
import type { Bytes, SocketAddress } from '../types.ts'
import { Channel } from './channel.ts'
import type { Driver } from './hooks.ts'
import { LIFE } from './life.ts'
import type { Past } from './past.ts'

/** What is asked of the link of such a channel. */
export interface DataDriver extends Driver {
  /** What is told of the connection, or of the last one. */
  readonly told: Past
  readonly fileno: number | undefined
  readonly bytes_queued: Bytes
}

/** A channel that carries data. `Failure` is the type of the errors of reading and writing. */
export abstract class DataChannel<Failure extends Error = Error> extends Channel {
  // ---- what can be asked ------------------------------------------------------------------------

  /**
   * The peer: `[host, port]`, or the path of a unix socket. It is `undefined` before connecting,
   * and kept after closing.
   */
  get remote_address(): SocketAddress | undefined {
    return linkOf(this).told.remote_address
  }

  /**
   * The address of this end: `[host, port]`, or the path of a unix socket. It is `undefined` before
   * the channel is open, and kept after closing.
   */
  get local_address(): SocketAddress | undefined {
    return linkOf(this).told.local_address
  }

  /**
   * The descriptor of the socket. It is `undefined` if there is none, or if it is closed.
   *
   * A child process that gets it as its input or output makes the socket a blocking one, for this
   * process as well: its writes stop everything until the peer has read.
   */
  // Source: Pants `_Channel.fileno`.
  get fileno(): number | undefined {
    return linkOf(this).fileno
  }

  /** Bytes received in this opening, or in the last one. What was dropped counts, too. */
  get bytes_read(): Bytes {
    return linkOf(this).told.bytes_read
  }

  /** Bytes that the system has taken in this opening, or in the last one. */
  get bytes_written(): Bytes {
    return linkOf(this).told.bytes_written
  }

  /** Bytes written and not yet taken by the system. Of a file, what was read of it counts. */
  get bytes_queued(): Bytes {
    return linkOf(this).bytes_queued
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called once for each opening, when data can be read and written. A stream with TLS from the
   * first byte has done its handshake by then. A Datagram calls it only if it was opened by
   * `connect`.
   *
   * By default it does nothing.
   */
  // Source: Pants `Stream.on_connect`.
  on_connect(): any {}

  /**
   * Called when everything that was written has been handed to the system. (The system may have
   * refused packets of a Datagram.) If `write` returned false, this is the moment to write more.
   *
   * By default it does nothing.
   */
  // Source: Pants `Stream.on_write`.
  on_write(): any {}

  /**
   * Called when connecting failed: the peer refused, there is no route to it, or its name could not
   * be resolved. A stream also reports `connect_timeout` here (code ERR_TIMEOUT), and the `signal`
   * of `connect` (code ERR_ABORTED).
   *
   * By default it calls `on_error`. Then the channel closes, whatever this hook does.
   */
  // Source: Pants `Stream.on_connect_error`.
  on_connect_error(error: ConnectError): any {
    return this.on_error(error)
  }

  /**
   * Called when reading failed: the connection was reset, for example, or the delimiter threw.
   *
   * - If the connection failed, the stream closes. If the delimiter threw, nothing more is read
   *   until `read_delimiter` is changed, and the stream closes only if this hook closes it.
   * - A Datagram goes on: `error.remote_address` is the sender whose bytes the delimiter could not
   *   read, and what it has sent is dropped unless this hook sets another delimiter. If the socket
   *   itself failed, the datagram closes.
   *
   * By default it calls `on_error`.
   */
  on_read_error(error: ReadError & Failure): any {
    return this.on_error(error)
  }

  /**
   * Called when writing failed.
   *
   * - If the connection failed, the stream closes. If a file could not be sent (ENOENT, EISDIR,
   *   ERR_FILE_SHRANK …), it goes on unless this hook closes it.
   * - A Datagram goes on: a packet was too long (EMSGSIZE), not allowed (EACCES), or the connected
   *   peer refused it (ECONNREFUSED). `error.remote_address` is the peer that it was for.
   *
   * By default it calls `on_error`.
   */
  on_write_error(error: WriteError & Failure): any {
    return this.on_error(error)
  }

  /**
   * Called when a buffer has reached its bound. `error.buffer` tells which:
   *
   * - 'receive': one read is longer than `buffer_size`. A stream reads nothing more until
   *   `buffer_size` or `read_delimiter` is changed; nothing is dropped. This hook may change them.
   *   If the read is too long for the new ones, too, it is called again only for a higher limit. A
   *   Datagram drops what the sender (`error.remote_address`) has sent, unless this hook changes a
   *   setting so that it can be read.
   * - 'send': the queue is longer than `send_buffer_size`, and the write was dropped. One last
   *   write is allowed in here, before `end()`.
   * - 'engine': all channels together hold more than the `buffer_limit` of the engine, and this one
   *   holds most.
   *
   * By default it calls `on_error`.
   */
  // Source: Pants `Stream.on_overflow_error`. Differs: there any sender can close a datagram so.
  on_overflow_error(error: OverflowError & Failure): any {
    return this.on_error(error)
  }
}

/** Not a private method: the object of every stream would be 8 bytes larger for it. */
function linkOf(channel: Channel): DataDriver {
  return channel[LIFE].driver as DataDriver
}
