/**
 * Layer 9. PubSubChannel: consumers subscribe to it, and get what is published on it, in any
 * process. It is a group of the layer of its envelope.
 */

import { instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import { Envelope, type MessageOf } from '../envelope.ts'
import { ws_outgoing } from '../envelope-table.ts'
import { checkName } from '../layers/channel-name.ts'
import type { Layer } from '../layers/layer.ts'
import { get_layer } from '../layers/layer-table.ts'
import { websocket_send } from '../outside/sending.ts'

/** A channel that consumers subscribe to. `pubsub_channel()` makes a class of them. */
export class PubSubChannel<Of extends Envelope<any> = Envelope> {
  /** The name of this kind of channel. */
  static readonly type_name: string = ''
  /** The messages that are published on it. @default ws_outgoing */
  static readonly envelope: Envelope<any> = ws_outgoing

  /** The `channel_name` of the consumer that subscribes or leaves; undefined: it only publishes. */
  readonly consumer_channel: string | undefined

  /** Throws InvalidArgumentError for an invalid name. */
  constructor(consumer_channel?: string) {
    if (consumer_channel !== undefined) checkName('consumer_channel', consumer_channel)
    this.consumer_channel = consumer_channel
  }

  /** The name of the channel. */
  get channel_name(): string {
    return (this.constructor as typeof PubSubChannel).type_name
  }

  /** The messages that are published on it. */
  get envelope(): Of {
    return (this.constructor as typeof PubSubChannel).envelope as Of
  }

  get #layer(): Layer {
    return get_layer(this.envelope.layer_name)
  }

  /**
   * Subscribes the consumer to what is published from then on. Rejects with InvalidStateError if no
   * consumer was given.
   */
  async subscribe(): Promise<void> {
    await this.#layer.group_add(this.channel_name, this.#consumer('subscribe()'))
  }

  /** Ends the subscription of the consumer. Throws InvalidStateError if no consumer was given. */
  leave(): void {
    this.#layer.group_discard(this.channel_name, this.#consumer('leave()'))
  }

  #consumer(what: string): string {
    if (this.consumer_channel !== undefined) return this.consumer_channel
    throw new InvalidStateError(what, 'it has no consumer', 'give its channel_name to new')
  }

  /**
   * Sends a message at once to all consumers that are subscribed. Returns and throws as
   * `websocket_send`.
   */
  publish(message: MessageOf<Of>): boolean {
    return this.#publish(message, false)
  }

  /** The same after the transaction, if there is one. */
  sync_publish(
    message: MessageOf<Of>,
    options?: { readonly on_commit?: boolean | undefined },
  ): boolean {
    return this.#publish(message, options?.on_commit ?? true)
  }

  #publish(message: MessageOf<Of>, on_commit: boolean): boolean {
    const { channel_name, envelope } = this
    return websocket_send<Of>(message, { channel_name, group: true, envelope, on_commit })
  }
}

const CHECKS = { envelope: instanceOf(Envelope) }

/** A class of channels that `pubsub_channel()` has made. */
export interface PubSubChannelClass<Of extends Envelope<any>> {
  new (consumer_channel?: string): PubSubChannel<Of>
  /** The name of this kind of channel. */
  readonly type_name: string
  /** The messages that are published on it. */
  readonly envelope: Envelope<any>
}

/**
 * Makes a class of channels: their name, and the envelope of their messages. Throws
 * InvalidArgumentError for an invalid name or option.
 *
 * @example
 * class News extends pubsub_channel('news', { envelope: to_client }) {}
 * new News().publish(new Headline({ text: 'it rains' }))
 */
export function pubsub_channel<Of extends Envelope<any> = Envelope>(
  name: string,
  options: { readonly envelope?: Of | undefined } = {},
): PubSubChannelClass<Of> {
  checkType('pubsub_channel: name', name)
  checkOptions('pubsub_channel', options, CHECKS)
  const { envelope = ws_outgoing as unknown as Of } = options
  return class extends PubSubChannel<Of> {
    static override readonly type_name = name
    static override readonly envelope = envelope
  }
}

/**
 * Checks a name, which must be in lower case: peers may write it in any case. Throws
 * InvalidArgumentError.
 */
export function checkType(what: string, name: string): void {
  checkName(what, name)
  if (name !== name.toLowerCase() || name.includes('!'))
    throw new InvalidArgumentError(what, "a name in lower case, without '!'", name)
}

/** A channel on which a program may publish which users come online and which go. */
export class OnlineChannel extends pubsub_channel('online_users') {}
