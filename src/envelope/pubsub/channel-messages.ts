/**
 * Layer 9. The messages by which a peer subscribes to channels about objects, and leaves them.
 *
 * | message | answer |
 * |---|---|
 * | `channel.subscribe` | `channel.subscribed` with state q; then with state s, or an error |
 * | `channel.leave` | `channel.left` |
 * | `channel.list_subscriptions` | `channel.subscriptions` |
 * | `channel.recheck`, from the program | `channel.left` for each that is no longer allowed |
 */

import { having, instanceOf } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { NotFoundError, SubscribeError } from '../builtin/common-errors.ts'
import type { Envelope } from '../envelope.ts'
import type { EnvelopeData } from '../envelope-schema.ts'
import { Message } from '../message.ts'
import { message, type Run } from '../runnable.ts'
import { type Fault, isNone, wrong } from '../schema/faults.ts'
import { list } from '../schema/list.ts'
import { text } from '../schema/scalars.ts'
import { optional, Schema } from '../schema/schema.ts'
import { anything, shape } from '../schema/shape.ts'
import { Signal } from '../signals/signal.ts'
import { channelNamed, context_channel_registry } from './channel-registry.ts'
import type { ContextChannel, Key, Subscriber } from './context-channel.ts'

/** Names a channel about an object. */
export interface ChannelKey {
  /** The key of the object. */
  pk: Key
  /** The name of the kind of channel. */
  channel_type: string
}

const checkMessage = instanceOf(Message)
const checkConsumer = having<Consumer>('send', 'a consumer')

/** What a new subscriber should know: messages, packed, in their order. */
export class AppState extends Array<Pick<EnvelopeData, 't' | 'p'>> {
  /** What `map` and its like make of it is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  /** Begins without a message. Throws InvalidArgumentError if it is given anything. */
  constructor(...none: readonly []) {
    if (none.length > 0)
      throw new InvalidArgumentError('new AppState: it takes no arguments; append() adds a message')
    super()
  }

  /** Adds a message. Throws InvalidArgumentError. */
  append(message: Message): void {
    checkMessage('append: message', message)
    this.push({ t: message.type_name, p: message.data as EnvelopeData['p'] })
  }
}

/** What `channel_subscribed` names. */
export interface SubscribedArguments {
  /** The channel. The sender of the signal is its class. */
  readonly channel: ContextChannel<any, any>
  /** Its object. */
  readonly context: any
  /** The user. */
  readonly user: unknown
  /** The consumer. */
  readonly consumer: any
  /** What the peer gets with the answer: receivers append to it. */
  readonly app_state: AppState
}

/** A consumer has subscribed to a channel about an object, and is about to be told. */
export const channel_subscribed: Signal<SubscribedArguments> = new Signal('channel_subscribed')

/** The part of a consumer that is used here. */
interface Consumer extends Subscriber {
  readonly channel_name: string
  readonly subscriptions: ReadonlySet<string>
  readonly outgoing: Envelope<any>
  send(message: Message): unknown
}

/** The longest key, in characters: with the name of its type it must be a valid name of a group. */
const LONGEST_KEY = 60
const KEY = /^[\w\-.]+$/

const key: Schema<Key> = new Schema<Key>((value, faults) => {
  if (Number.isSafeInteger(value)) return value
  if (value === null || value === undefined) return isNone(faults)
  if (typeof value === 'string' && value.length <= LONGEST_KEY && KEY.test(value)) return value
  return wrong(faults, 'value_error', 'value is not a valid key')
})

const channelType: Schema<string> = new Schema<string>(checkChannelType)

/** Must be the name of a registered kind of channel, in any case. */
function checkChannelType(value: unknown, faults: Fault[]): unknown {
  if (value === null || value === undefined) return isNone(faults)
  if (typeof value !== 'string') return wrong(faults, 'type_error.str', 'str type expected')
  const name = value.toLowerCase()
  if (context_channel_registry.has(name)) return name
  return wrong(faults, 'value_error', `'${name.slice(0, LONGEST_KEY)}' is not a valid channel`)
}

const which = shape({ pk: key, channel_type: channelType })

/** `channel.subscribed`: with the state q the subscription is being checked, with s it holds. */
export class ChannelSubscribed extends message(
  'channel.subscribed',
  shape({
    ...which.fields,
    channel_name: optional(text),
    app_state: optional(list(anything)),
  }),
) {}

/** `channel.left`: the consumer is no longer subscribed. */
export class ChannelLeft extends message('channel.left', which) {}

/** `channel.subscriptions`: what the consumer is subscribed to. */
export class ChannelSubscriptions extends message(
  'channel.subscriptions',
  shape({ subscriptions: list(which) }),
) {}

/** The channel that a message names. */
function channelOf(
  { pk, channel_type }: ChannelKey,
  { channel_name }: Consumer,
): ContextChannel<any, any> {
  // It was registered when the message was checked, and nothing is ever unregistered.
  const Class = context_channel_registry.get(channel_type)!
  return new Class(pk, channel_name)
}

/** Subscribes, and asks the program what the peer should know. Returns the answer's fields. */
async function subscribed(
  channel: ContextChannel<any, any>,
  consumer: Consumer,
): Promise<{ channel_name: string; app_state: AppState }> {
  const { channel_name } = channel
  const { user } = consumer
  const app_state = new AppState()
  const context: unknown = await channel.context
  await channel.subscribe()
  await channel_subscribed.send(channel.constructor, {
    channel,
    context,
    user,
    consumer,
    app_state,
  })
  return { channel_name, app_state }
}

/** `channel.subscribe`: asks to be subscribed. */
export class ChannelSubscribe extends message('channel.subscribe', which) {
  /** Subscribes, if the user may. The next message of the peer waits for it. */
  override async run({ consumer }: Run<Consumer>): Promise<void> {
    const { pk, channel_type } = this.data
    const channel = channelOf(this.data, consumer)
    consumer.send(ChannelSubscribed.from_message(this, { pk, channel_type, state: 'q' }))
    const { mm } = this
    const isAllowed = await channel.allow_subscribe(consumer)
    if (!isAllowed) throw new SubscribeError({ channel_name: channel.channel_name, mm })
    const fields = await subscribed(channel, consumer)
    const whole = { pk, channel_type, ...fields, state: 's' }
    consumer.send(ChannelSubscribed.from_message(this, whole))
  }
}

/** `channel.leave`: ends a subscription. */
export class ChannelLeave extends message('channel.leave', which) {
  /** Leaves. If it was not subscribed, that is no error. */
  override run({ consumer }: Run<Consumer>): void {
    channelOf(this.data, consumer).leave()
    consumer.send(ChannelLeft.from_message(this, { ...this.data, state: 's' }))
  }
}

/** `channel.list_subscriptions`: asks what it is subscribed to. */
export class ChannelListSubscriptions extends message('channel.list_subscriptions') {
  /** Answers. */
  override run({ consumer }: Run<Consumer>): void {
    const subscriptions = channelsOf(consumer).map(naming)
    consumer.send(ChannelSubscriptions.from_message(this, { subscriptions, state: 's' }))
  }
}

/** `channel.recheck`: what a user may do has changed. It comes from inside the program. */
export class ChannelRecheck extends message('channel.recheck') {
  /** Leaves the channels that the user may not be subscribed to any more, and tells the peer. */
  override async run({ consumer }: Run<Consumer>): Promise<void> {
    for (const channel of channelsOf(consumer)) {
      if (await isStillAllowed(channel, consumer)) continue
      channel.leave()
      consumer.send(ChannelLeft.from_message(this, { ...naming(channel), state: null }))
    }
  }
}

/** The channels about objects that it is subscribed to. */
function channelsOf({ subscriptions, channel_name }: Consumer): ContextChannel<any, any>[] {
  return [...subscriptions]
    .map(name => channelNamed(name, channel_name))
    .filter(channel => channel !== undefined)
}

function naming(channel: ContextChannel<any, any>): ChannelKey {
  const { type_name } = channel.constructor as typeof ContextChannel
  return { pk: channel.pk, channel_type: type_name }
}

/** May the consumer still be subscribed? Not if the object is gone. */
async function isStillAllowed(
  channel: ContextChannel<any, any>,
  consumer: Consumer,
): Promise<boolean> {
  try {
    return await channel.allow_subscribe(consumer)
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  }
}

/**
 * Subscribes a consumer to the channel of its user, and tells the peer. It is a receiver:
 * `consumer_connected.connect(subscribe_user)`. For a consumer without `user_pk` it does nothing.
 * Rejects with InvalidArgumentError without a consumer.
 */
export async function subscribe_user(connected: { readonly consumer: any }): Promise<void> {
  const consumer = checkConsumer('subscribe_user: consumer', connected?.consumer)
  const { user_pk, channel_name, outgoing } = consumer
  const Class = context_channel_registry.get('user')
  if (user_pk === null || Class === undefined) return
  const fields = await subscribed(new Class(user_pk, channel_name), consumer)
  if (!outgoing.registry.has(ChannelSubscribed.type_name)) return
  const data = { pk: user_pk, channel_type: 'user', ...fields }
  consumer.send(new ChannelSubscribed({ data, mm: { state: 's' } }))
}

/** The messages about channels: for the three envelopes of a consumer. */
export const channel_messages = {
  /** What peers send. */
  incoming: [ChannelSubscribe, ChannelLeave, ChannelListSubscriptions],
  /** What peers get. */
  outgoing: [ChannelSubscribed, ChannelLeft, ChannelSubscriptions],
  /** What other parts of the program send to a consumer. */
  internal: [ChannelRecheck],
} as const
