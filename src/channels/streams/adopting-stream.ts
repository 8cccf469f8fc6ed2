/**
 * Layer 5. AdoptingStream: what a stream takes from the program: a socket that the program has
 * already, and bytes that it has read and gives back.
 */

import type { Duplex } from 'node:stream'
import { types } from 'node:util'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import { noop } from '../../core/noop.ts'
import { PeekReader } from '../../core/reading/count-readers.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { LIFE } from '../life.ts'
import { adoptFields } from '../settings.ts'
import { pull, type ReadOptions, AwaitableStream } from './awaitable-stream.ts'
import { linkOf } from './link-of.ts'
import { checkMayConnect, notConnected, protocolOnly } from './stream-misuse.ts'
import type { TextChecked } from './text-reads.ts'
import { demandOf } from './tls-start.ts'

export abstract class AdoptingStream<
  By extends ReadDelimiter = ReadDelimiter,
> extends AwaitableStream<By> {
  /**
   * Takes over a socket that the program has already, instead of connecting, and returns the stream
   * at once: a socket of node:net or node:tls, that of an HTTP upgrade, or any other Duplex of
   * bytes. `head` is what was read of it already, and is read first. Then `on_connect` is called.
   *
   * From now on the stream owns the socket: do not read, write or end it. With the setting `tls`,
   * the handshake begins at once.
   *
   * Throws InvalidArgumentError for anything else, and InvalidStateError if the socket has ended,
   * if the stream is not closed, or if it was accepted by a server.
   *
   * @example
   * http.get({ headers: { Connection: 'Upgrade', Upgrade: 'echo' } })
   *   .on('upgrade', (_response, socket, head) => client.adopt(socket, head))
   */
  // Source: Node's event 'upgrade', whose arguments these are.
  adopt(this: TextChecked, socket: Duplex, head?: Uint8Array): this
  adopt(socket: Duplex, head?: Uint8Array): this {
    const link = linkOf(this)
    checkMayConnect(this.state, link.isAccepted, 'adopt()')
    const life = this[LIFE]
    const transport = life.drive.adopt(socket, head)
    adoptFields(this)
    link.target = undefined
    const { tls } = link.values
    const demand = tls && demandOf(link, tls)
    life.beginOpening()
    life.announceSoon()
    link.attach(transport, noop, demand)
    transport.open()
    return this
  }

  /**
   * Awaits that many bytes and leaves them: the next read begins with them. For a protocol that is
   * known by its first bytes. They are bytes, whatever `encoding` is. Rejects and throws as `read`
   * does.
   *
   * @example
   * const [first] = await this.peek(1)
   */
  peek(size: number, options?: ReadOptions): Promise<Buffer> {
    if (typeof size !== 'number')
      throw new InvalidArgumentError('peek: size', 'a number of bytes', size)
    return pull(this, 'peek', size, options, new PeekReader(size)) as Promise<Buffer>
  }

  /**
   * Gives bytes back that were read: the next read begins with them. They are looked at in the next
   * turn of the loop, or by the next `read()`. If the stream is closing or has closed, it does
   * nothing.
   *
   * Throws InvalidArgumentError for anything but bytes, and InvalidStateError before the stream is
   * open, or if it has a protocol of its own, such as WebSocket.
   */
  // Source: Node `readable.unshift`.
  unread(bytes: Uint8Array): void {
    if (!types.isUint8Array(bytes))
      throw new InvalidArgumentError('unread: bytes', 'a Uint8Array', bytes)
    const link = linkOf(this)
    if (link.protocol !== undefined) throw protocolOnly('unread()')
    const { state } = this
    if (state === 'opening' || (state === 'closed' && !link.wasAttached))
      throw notConnected('unread()')
    if (state === 'active') link.reading.giveBack(bytes)
  }
}
