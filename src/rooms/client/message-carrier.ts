/**
 * Layer 9. MessageCarrier: a message channel as the carrier of a room channel, whatever its URL is.
 * It keeps text and bytes apart by UTF-8, as the wire protocol says.
 */

import { DRIVE, type Engine } from '../../engine.ts'
import { ChannelError } from '../../errors.ts'
import type { ChannelContext } from '../../messages/init.ts'
import { Control } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { textOrBytes } from '../wire.ts'
import type { Carrier, CarrierSink } from './carrier.ts'

/** RFC 6455: the connection was closed without a code. */
const NO_CODE = 1005

export class MessageCarrier implements Carrier {
  readonly #channel: MessageChannel
  readonly #engine: Engine
  readonly #sink: CarrierSink
  #isFull = false
  #isOver = false

  /** Throws UrlError. */
  constructor(url: string, context: ChannelContext, engine: Engine, sink: CarrierSink) {
    this.#engine = engine
    this.#sink = sink
    this.#channel = context.init(url, { engine, is_internal: true })
    this.#channel.on_message = ({ data }) => sink.received(textOrBytes(data))
    this.#channel.on_control = ({ msgid }) => this.#controlled(msgid)
    this.#channel.on_error = error => this.#failed(error)
    this.#channel.callback_add(() => this.#changed(), 'state')
  }

  get isOpen(): boolean {
    return this.#channel.state === 'active'
  }

  open(): void {
    this.#later(() => this.#channel.open())
  }

  send(data: string | Uint8Array): boolean {
    if (!this.#channel.post(data))
      throw new ChannelError('ERR_OVERFLOW', `${this.#channel.name} did not take the message`)
    return !this.#isFull
  }

  close(): void {
    this.#later(() => this.#channel.close())
  }

  abort(): void {
    this.#isOver = true
    this.#channel.destroy()
  }

  /** `mem://` opens and closes inside the call. A program sees the same with every URL. */
  #later(action: () => void): void {
    const turn = (): void => {
      if (this.#isOver) return
      try {
        action()
      } catch (error) {
        // The engine stops.
        this.#sink.failed(error as Error)
        this.#sink.closed()
      }
    }
    this.#engine[DRIVE].wake({ turn })
  }

  #controlled(msgid: number): void {
    if (msgid === Control.WriteFull) this.#isFull = true
    if (msgid !== Control.WriteReady) return
    this.#isFull = false
    this.#sink.drained()
  }

  /** A channel that has failed stays so until it is closed. */
  #failed(error: Error): void {
    this.#sink.failed(error)
    if (this.#channel.state === 'error') this.#channel.close(true)
  }

  #changed(): void {
    const { state, error } = this.#channel
    if (this.#isOver) return
    if (state === 'active') this.#sink.opened()
    if (state !== 'closed') return
    this.#isOver = true
    this.#sink.closed(error === undefined ? NO_CODE : undefined)
    this.#channel.destroy()
  }
}
