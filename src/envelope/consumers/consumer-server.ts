/**
 * Layer 9. ConsumerServer: makes a consumer of each peer of a server.
 */

import { classOf, instanceOf } from '../../core/checks.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import {
  type Addr,
  Control,
  type Message as ChannelMessage,
  STATES,
} from '../../messages/message.ts'
import { MessageChannel } from '../../messages/message-channel.ts'
import { MESSAGE_LIFE } from '../../messages/message-life.ts'
import { serverUrl } from '../../messages/server-url.ts'
import { checkConsumer, Consumer } from './consumer.ts'
import { LINK } from './consumer-link.ts'
import type { Handshake } from './handshake.ts'
import { PeerPort } from './port.ts'

/** The code of WebSocket for a peer that no consumer could be made for. */
const FAILED = 1011

const checkConsumerClass = classOf(Consumer, 'consumer({ incoming, outgoing }) makes')

/**
 * Makes a consumer of each peer of a message channel with `mode=server`.
 *
 * @example
 * const server = new ConsumerServer(Player).listen('ws://localhost:8080/game;mode=server')
 * await server.opened
 */
export class ConsumerServer<Of extends Consumer<any, any> = Consumer> {
  /** The class of its consumers. */
  readonly ConsumerClass: new () => Of
  readonly #consumers = new Map<Addr, Of>()
  #channel: MessageChannel | undefined

  /** Throws InvalidArgumentError for anything but a class of consumers. */
  constructor(ConsumerClass: new () => Of) {
    checkConsumerClass('new ConsumerServer: ConsumerClass', ConsumerClass)
    this.ConsumerClass = ConsumerClass
  }

  /** The consumers of its peers. */
  get consumers(): Of[] {
    return [...this.#consumers.values()]
  }

  /** The message channel that it listens on; undefined before `listen`. */
  get channel(): MessageChannel | undefined {
    return this.#channel
  }

  /** A URL for its clients; undefined if there is none, or not yet. */
  get client_url(): string | undefined {
    return this.#channel?.client_url
  }

  /** Resolves with the server when peers may connect. Rejects if it cannot listen. */
  get opened(): Promise<this> {
    return this.#needed('opened').opened.then(() => this)
  }

  /** Resolves when it has closed, and its peers with it. */
  get closed(): Promise<unknown> {
    return this.#needed('closed').closed
  }

  #needed(what: string): MessageChannel {
    if (this.#channel === undefined)
      throw new InvalidStateError(what, 'it never listened', 'call listen() first')
    return this.#channel
  }

  /**
   * Listens on a URL (`mode=server` may be left out), or on a message channel of a server, which is
   * opened if it is not open. Returns the server.
   *
   * Throws InvalidStateError if it listens already, and UrlError or InvalidArgumentError for an
   * invalid channel.
   */
  listen(on: string | MessageChannel, context: Context = Context.instance()): this {
    if (this.#channel !== undefined && this.#channel.state !== 'closed')
      throw new InvalidStateError('listen()', 'it listens already', 'close() it first')
    instanceOf(Context)('listen: context', context)
    const channel = typeof on === 'string' ? context.init(serverUrl(on)) : on
    if (!(channel instanceof MessageChannel))
      throw new InvalidArgumentError('listen: channel', 'a URL or a message channel', on)
    this.#channel = channel
    const { callbacks } = channel[MESSAGE_LIFE].outlet
    callbacks.add(this.#arrived, ['data', 'control'], this.#arrivedText)
    channel.callback_add(this.#changed, 'state')
    if (channel.state === 'closed') channel.open()
    return this
  }

  readonly #arrived = (message: ChannelMessage): void => {
    const { type, msgid, addr } = message
    if (addr === undefined) return
    if (type === 'control' && msgid === Control.Connect) return this.#connected(message)
    const consumer = this.#consumers.get(addr)
    if (consumer === undefined) return
    if (type === 'data') void consumer[LINK].arrived(message)
    else if (msgid === Control.WriteReady) consumer[LINK].flush()
    else if (msgid === Control.Disconnect) this.#gone(addr, consumer, Number(message.seq))
  }

  readonly #arrivedText = (text: string, addr: Addr | undefined): void => {
    void this.#consumers.get(addr as Addr)?.[LINK].received(text)
  }

  #connected({ addr, data, value }: ChannelMessage): void {
    const channel = this.#channel as MessageChannel
    const port = new PeerPort(channel, addr as Addr)
    const { headers = {}, query = new URLSearchParams() } = (value ?? {}) as Partial<Handshake>
    const handshake = { address: data.toString(), headers, query }
    const consumer = this.#make(channel, port)
    this.#consumers.set(addr as Addr, consumer)
    consumer[LINK].begin(channel.engine, port, handshake)
  }

  /** What the class throws is logged by the channel, and costs the peer its connection. */
  #make({ engine }: MessageChannel, port: PeerPort): Of {
    try {
      const consumer = new this.ConsumerClass()
      checkConsumer(consumer, engine)
      return consumer
    } catch (error) {
      port.close(FAILED)
      throw error
    }
  }

  #gone(addr: Addr, consumer: Of, code = 0): void {
    this.#consumers.delete(addr)
    consumer[LINK].ended(consumer[LINK].reason, code)
  }

  readonly #changed = ({ msgid }: ChannelMessage): void => {
    // Its on_error has told why; without it no consumer has a peer.
    if (STATES[msgid] === 'error') this.close()
    if (STATES[msgid] !== 'closed') return
    for (const [addr, consumer] of [...this.#consumers]) this.#gone(addr, consumer)
    this.#channel?.callback_del(this.#arrived)
    this.#channel?.callback_del(this.#changed)
  }

  /** Closes the channel, and so the connections of all peers. */
  close(): void {
    this.#channel?.close()
  }
}
