/**
 * Layer 7. WebSocketSession: what one end of a WebSocket connection does between the calls and the
 * hooks of its channel, over one opening after the other.
 *
 * In the order of an opening: begin → (handshake) → agreed → incoming … send … → farewell → over.
 *
 * Rules:
 * 1. A message is delivered only while the handshake of closing has not begun (`stage` is 'open').
 * 2. A close frame is sent once. Nothing is sent after it.
 * 3. A server ends TCP as soon as both have said goodbye; a client waits for that.
 */

import { Buffer } from 'node:buffer'
import type { StreamLink } from '../../channels/streams/stream-link.ts'
import type { StreamProtocol } from '../../channels/streams/stream-protocol.ts'
import { timeOut } from '../../channels/timeouts.ts'
import { noop } from '../../core/noop.ts'
import { Heartbeat, type HeartbeatOwner } from '../../core/time/heartbeat.ts'
import { ChannelError, OverflowError, TimeoutError } from '../../errors.ts'
import type { Bytes, Cancel, Data, Milliseconds } from '../../types.ts'
import {
  ABNORMAL,
  GOING_AWAY,
  type Goodbye,
  INTERNAL_ERROR,
  nextStage,
  NORMAL,
  packGoodbye,
  readGoodbye,
  type Stage,
} from './closing.ts'
import { Compression } from './deflate/compression.ts'
import type { DeflateItem } from './deflate/deflate-item.ts'
import { ProtocolError } from './errors.ts'
import { CLOSE, PONG } from './frames.ts'
import type { Agreement, Handshake } from './handshake.ts'
import { Control, Deflated, Fault, type Incoming } from './incoming.ts'
import { CLIENT_PACKERS, type FramePacker, type Packers, SERVER_PACKERS } from './outgoing.ts'
import { framesFor } from './receiver.ts'
import type { WebSocketValues } from './websocket-settings.ts'

/** The channel. */
interface SessionChannel {
  close(flush?: boolean): void
  on_message(data: string | Buffer): unknown
  on_ping(data: Buffer): unknown
  on_pong(data: Buffer): unknown
}

/** What differs from a server to a client. */
export interface Side {
  readonly isServer: boolean
  /** The values that count, from the channel or from its server. */
  readonly values: WebSocketValues
  shakeHands(): Handshake
}

/** How long a client waits for the server to end TCP after both goodbyes. As long as Chromium. */
const PATIENCE: Milliseconds = 2000

/** Up to this size a payload is copied after its header. */
const SMALL: Bytes = 4096

/** Room for a header. */
const HEADER_MAX: Bytes = 14

const NOTHING = Buffer.alloc(0)

export class WebSocketSession implements StreamProtocol, HeartbeatOwner {
  readonly link: StreamLink
  readonly #channel: SessionChannel
  readonly #side: Side
  readonly #packers: Packers
  #stage: Stage | 'opening' = 'opening'
  /** The subprotocol of this opening, or of the last one. */
  protocol = ''
  /** Why it closes or has closed: what the peer says, or what we say if we are first. */
  goodbye: Goodbye | undefined
  /** What `end` was called with, or what a fault leads to. */
  #wanted: Goodbye | undefined
  #handshake: Handshake | undefined
  #heartbeat: Heartbeat | undefined
  #compression: Compression | undefined
  #stopWaiting: Cancel = noop
  /** The payload of a ping that could not be answered yet. */
  #owed: Buffer | undefined
  /** Is `on_timeout` called because no pong came? */
  #isSilent = false
  /** Had everything else gone when we said goodbye? */
  #hasSentAll = false

  constructor(link: StreamLink, channel: SessionChannel, side: Side) {
    this.link = link
    this.#channel = channel
    this.#side = side
    this.#packers = side.isServer ? SERVER_PACKERS : CLIENT_PACKERS
    link.protocol = this
  }

  get isOpen(): boolean {
    return this.#stage === 'open'
  }

  // ---- opening ----------------------------------------------------------------------------------

  begin(): boolean {
    if (this.#handshake !== undefined) {
      this.#handshake = undefined
      return true
    }
    this.#stage = 'opening'
    this.protocol = ''
    this.goodbye = this.#owed = undefined
    this.#handshake = this.#side.shakeHands()
    this.#handshake.start()
    return false
  }

  get isShakingHands(): boolean {
    return this.#handshake !== undefined
  }

  /** The handshake is done: the stream opens. */
  agreed({ protocol, compression, rest, hasEnded }: Agreement): void {
    const { link } = this
    const { isServer, values } = this.#side
    this.protocol = protocol
    const { message_size } = values
    this.#compression = compression && new Compression(compression, isServer, message_size)
    link.assign('read_delimiter', framesFor(isServer, compression !== undefined, message_size))
    this.#stage = 'open'
    link.opened()
    // Ended before it was open, it is to hear the peer's goodbye.
    if (!link.isSending) return
    if (link.life.state === 'active' && values.ping_interval !== Infinity)
      this.#heartbeat = new Heartbeat(this, link.life.drive)
    if (rest.length > 0) link.received(rest)
    if (hasEnded) link.ended()
  }

  // ---- the way in -------------------------------------------------------------------------------

  /** What the receiver delivers, unless it is text of an open session. */
  incoming(incoming: Incoming): unknown {
    if (incoming instanceof Control) return this.#control(incoming)
    // After end() messages are dropped.
    if (this.#stage !== 'open') return undefined
    if (incoming instanceof Fault) return this.#fail(incoming)
    if (!(incoming instanceof Deflated)) return this.#channel.on_message(incoming)
    const message = (this.#compression as Compression).unpack(incoming)
    // While a large message is inflated, the next one waits.
    return message instanceof Promise
      ? message.then(each => this.incoming(each))
      : this.incoming(message)
  }

  #control({ opcode, payload, when }: Control): unknown {
    if (opcode === CLOSE) return this.#closed(payload)
    if (this.#stage !== 'open') return undefined
    if (opcode === PONG) return this.#channel.on_pong(payload)
    if (when !== 'after') this.#pong(payload)
    return when === 'ahead' ? undefined : this.#channel.on_ping(payload)
  }

  /**
   * Answers a ping. A peer that pings and reads nothing gets one answer in the end, to its last
   * ping: so its pings take no memory.
   */
  #pong(payload: Buffer): void {
    const { writing, values } = this.link
    if (writing.isBlocked && writing.size >= values.send_high_water) this.#owed = payload
    else this.#write(this.#packers.pong, payload)
  }

  emptied(): void {
    const owed = this.#owed
    this.#owed = undefined
    if (owed !== undefined && this.#stage === 'open') this.#write(this.#packers.pong, owed)
  }

  #fail({ code, reason }: Fault): void {
    const { life } = this.link
    this.#wanted = { code, reason }
    const isOverflow = code === 1009
    const error: ChannelError = isOverflow
      ? new OverflowError('receive', this.#side.values.message_size, reason)
      : new ProtocolError(`the peer has broken the protocol: ${reason}`, code)
    const blame = isOverflow ? 'overflow' : 'error'
    life.warn(isOverflow ? 'on_overflow_error' : 'on_read_error', error, blame)
    // Whatever the hook does: nothing that follows can be understood.
    const before = life.blame(blame)
    life.closeAfter(error)
    life.fault = before
  }

  // ---- the way out ------------------------------------------------------------------------------

  /** May a message be sent? While a client connects, it waits. */
  get maySend(): boolean {
    const { state } = this.link.life
    return state === 'active' || (state === 'opening' && !this.#side.isServer)
  }

  /** Sends a message, if that is allowed. */
  send(data: Data, compress: boolean | undefined): boolean {
    const { text, binary } = this.#packers
    const writing = this.link.writable()
    if (this.#compression !== undefined) {
      const item = this.#deflated(this.#compression, data, compress)
      if (item !== undefined) return writing.writeItem(item, false)
    }
    if (typeof data === 'string') return writing.writePacked(text, [data])
    if (!this.#side.isServer || data.length <= SMALL) return writing.writePacked(binary, [data])
    const { send_buffer_size } = this.link.values
    // Both or neither: a header without its payload would be the end.
    if (writing.size + HEADER_MAX > send_buffer_size) return writing.writePacked(binary, [data])
    writing.write(binary.header(data.length), false)
    return writing.write(data, false)
  }

  /** The message as a thing that is compressed in its turn; undefined if it goes as it is. */
  #deflated(compression: Compression, data: Data, compress?: boolean): DeflateItem | undefined {
    const { writing, values } = this.link
    // Over the bound: as every other message that is too much.
    if (writing.size > values.send_buffer_size) return undefined
    const { deflatedText, deflatedBinary } = this.#packers
    const packer = typeof data === 'string' ? deflatedText : deflatedBinary
    return compression.pack(data, compress, packer)
  }

  /** Sends a ping. */
  ping(payload: Data = NOTHING): boolean {
    return this.#write(this.#packers.ping, payload)
  }

  #write(packer: FramePacker, payload: Data): boolean {
    return this.link.writable().writePacked(packer, [payload])
  }

  // ---- the heartbeat ----------------------------------------------------------------------------

  get ping_interval(): Milliseconds {
    return this.#side.values.ping_interval
  }

  get pong_timeout(): Milliseconds {
    return this.#side.values.pong_timeout
  }

  get bytes_read(): Bytes {
    return this.link.bytes_read
  }

  get isDeaf(): boolean {
    return this.link.isDeaf
  }

  silent(): void {
    this.#isSilent = true
    timeOut(this.link.life, 'read')
    this.#isSilent = false
  }

  /** Why a timeout ran out, if it is one of the session. */
  timeoutError(kind: string): ChannelError | undefined {
    if (kind === 'handshake' && this.isShakingHands) {
      const { handshake_timeout } = this.link.values
      const what = 'the WebSocket handshake took longer than'
      return new TimeoutError('handshake', 'handshake_timeout', handshake_timeout, what)
    }
    if (!this.#isSilent) return undefined
    const what = 'the peer sent nothing after a ping for longer than'
    return new TimeoutError('read', 'pong_timeout', this.pong_timeout, what)
  }

  // ---- closing ----------------------------------------------------------------------------------

  /** What `end` was called with. */
  want(goodbye: Goodbye): void {
    if (this.link.life.state !== 'closed') this.#wanted ??= goodbye
  }

  /** A close frame has come. */
  #closed(payload: Buffer): void {
    const stage = nextStage(this.#stage as Stage, 'receive')
    // A second one says nothing that counts.
    if (stage === this.#stage) return
    const goodbye = readGoodbye(payload)
    if (this.#stage === 'open' && goodbye instanceof Fault) return this.#fail(goodbye)
    this.#stage = stage
    if (stage === 'done') return this.#part()
    this.goodbye = this.#wanted = goodbye as Goodbye
    this.link.life.beginClosing('remote')
    this.link.end()
  }

  farewell(): boolean {
    if (this.#stage === 'received') {
      this.#sayGoodbye(this.#wanted as Goodbye)
      this.#part()
      return !this.#side.isServer && !this.link.hasPeerEnded
    }
    if (this.link.hasPeerEnded) return false
    const goodbye = this.#wanted ?? { code: this.#code(), reason: '' }
    this.goodbye = goodbye
    this.#sayGoodbye(goodbye)
    // Who has broken the protocol is not waited for.
    return ![1002, 1007, 1009].includes(goodbye.code)
  }

  #code(): number {
    const { reason } = this.link.life
    return reason === 'drain' ? GOING_AWAY : reason === 'error' ? INTERNAL_ERROR : NORMAL
  }

  #sayGoodbye(goodbye: Goodbye): void {
    this.#stage = nextStage(this.#stage as Stage, 'send')
    this.#heartbeat?.stop()
    this.#hasSentAll = this.link.writing.isEmpty
    this.#write(this.#packers.close, packGoodbye(goodbye))
  }

  /** Nothing but a goodbye can be lost any more. */
  get hasParted(): boolean {
    return this.#stage === 'done' || (this.#stage === 'sent' && this.#hasSentAll)
  }

  /** Both have said goodbye. */
  #part(): void {
    if (this.#side.isServer) return this.link.parted()
    this.#stopWaiting = this.link.life.drive.after(PATIENCE, () => this.link.parted())
  }

  over(): void {
    if (this.#stage !== 'opening') this.goodbye ??= { code: ABNORMAL, reason: '' }
    this.#handshake?.stop()
    this.#handshake = this.#wanted = undefined
    this.#heartbeat?.stop()
    this.#stopWaiting()
    this.#compression?.close()
    this.#compression = undefined
  }
}
