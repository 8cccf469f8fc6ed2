/**
 * Layer 8. WsStream: a WebSocket connection that carries messages. A client has one, a server has
 * one for each peer.
 */

import { isUtf8 } from 'node:buffer'
import { LIFE } from '../../../channels/life.ts'
import type { Stream } from '../../../channels/streams/stream.ts'
import { InvalidArgumentError } from '../../../errors.ts'
import { WebSocketClient } from '../../../protocols/websocket/client.ts'
import { SERVER_PACKERS } from '../../../protocols/websocket/outgoing.ts'
import {
  sendPacked,
  sessionOf,
  type WebSocketChannel,
} from '../../../protocols/websocket/websocket.ts'
import type { Bytes, CloseReason, StateSignal } from '../../../types.ts'
import { type Addr, Control, Message } from '../../message.ts'
import type { CarryingOwner, CarryingStream, TextOwner } from '../streams/carrying.ts'
import type { WsParams } from './ws-params.ts'

export type WsStreamOwner = CarryingOwner<WsStream> & TextOwner

/** What it carries, for whom. */
export interface Carrying {
  readonly owner: WsStreamOwner
  readonly params: WsParams
  /** For a peer of a server: its number. */
  readonly addr?: Addr
}

export interface WsStream extends CarryingStream, WebSocketChannel {
  end(code?: number, reason?: string): void
  /** As `post`, of a text that is not made a message. */
  postText(text: string): boolean
}

/** What one message is on the wire. Throws if it does not fit. */
function payloadOf({ frame, isBinary }: WsParams, message: Message): string | Uint8Array {
  const head = frame?.head(message)
  const data = head === undefined ? message.data : Buffer.concat([head, message.data])
  if (isBinary) return data
  if (isUtf8(data)) return data.toString()
  throw new InvalidArgumentError('post: data with binary=no', 'text in UTF-8', data)
}

/** Packs messages as a server sends them, not compressed. Throws if one does not fit. */
export function packMessages(params: WsParams, messages: readonly Message[]): Buffer {
  const { text, binary } = SERVER_PACKERS
  return Buffer.concat(
    messages.map(each => (params.isBinary ? binary : text).pack(payloadOf(params, each))),
  )
}

type Base = new (options: any) => Stream & WebSocketChannel

/** Makes a class that carries messages out of one end of a WebSocket. */
export function carrying<Of extends Stream>(
  BaseClass: new (options: any) => Of,
): new (carrying: Carrying, options: object) => Of & WsStream {
  class Carrier extends (BaseClass as unknown as Base) {
    readonly #owner: WsStreamOwner
    readonly #params: WsParams
    readonly addr: Addr | undefined
    fault: Error | undefined
    untaken: Bytes = 0
    #isFull = false

    constructor({ owner, params, addr }: Carrying, options: object) {
      // No backpressure: the program gets WriteFull if the peer does not read, and decides itself.
      super({ backpressure: false, ...params.options, ...options })
      this.#owner = owner
      this.#params = params
      this.addr = addr
    }

    post(message: Message): boolean {
      if (this.#isFull) return false
      return this.#posted(this.send(payloadOf(this.#params, message)))
    }

    postText(text: string): boolean {
      return !this.#isFull && this.#posted(this.send(text))
    }

    postPacked(packed: Uint8Array): boolean {
      if (this.#isFull || this.state !== 'active') return false
      return this.#posted(sendPacked(sessionOf(this), packed))
    }

    #posted(hasRoom: boolean): true {
      if (!hasRoom && this.state === 'active') {
        this.#isFull = true
        this.#report(Control.WriteFull)
      }
      return true
    }

    #report(msgid: number): void {
      void this.#owner.received(new Message({ type: 'control', msgid, addr: this.addr }))
    }

    /** A peer that has said goodbye drops what comes after. */
    override on_state(state: StateSignal): void {
      if (state === 'closing' && this[LIFE].reason === 'remote') this.untaken = this.bytes_queued
    }

    override on_connect(): void {
      this.#owner.connected(this as unknown as WsStream)
    }

    override on_message(data: string | Buffer): Promise<void> | void {
      const { frame, isPlainText } = this.#params
      if (typeof data === 'string' && frame === undefined) {
        const taken = this.#owner.text(data, this.addr)
        if (taken !== false) return taken
      }
      const bytes = Buffer.from(data as string)
      const isOdd = typeof data !== 'string' && isPlainText
      const message =
        frame === undefined
          ? new Message({ data: bytes, addr: this.addr, value: isOdd ? 'binary' : undefined })
          : frame.unpackPacket(bytes, this.addr)
      // A message that is shorter than its frame is dropped, as a packet is.
      if (message !== undefined) return this.#owner.received(message)
    }

    override on_write(): void {
      if (!this.#isFull) return
      this.#isFull = false
      this.#report(Control.WriteReady)
    }

    /** Every error comes here and closes the stream. */
    override on_error(error: Error): void {
      this.fault = error
      this.#owner.failed(this as unknown as WsStream, error)
      // As by default, but for the log: the channel has told it.
      this[LIFE].closeAfter(error)
    }

    override on_close(reason: CloseReason): void {
      this.#owner.closed(this as unknown as WsStream, reason)
    }
  }
  return Carrier as never
}

export const WsCaller = carrying<WebSocketClient>(WebSocketClient)
