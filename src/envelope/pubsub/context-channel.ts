/**
 * Layer 9. ContextChannel: a channel about an object of the program. The object decides who may
 * subscribe. UserChannel: the channel of a user.
 */

import { type Checks, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { Model } from '../context/model.ts'
import { Envelope } from '../envelope.ts'
import { ws_outgoing } from '../envelope-table.ts'
import { checkName } from '../layers/channel-name.ts'
import { checkType, PubSubChannel } from './pubsub-channel.ts'

/** The key of an object. */
export type Key = string | number

/** What a channel needs to know of a consumer that subscribes. */
export interface Subscriber {
  /** Its user. */
  readonly user: unknown
  /** The key of its user. */
  readonly user_pk: Key | null
}

/** A channel about an object. `context_channel()` makes a class of them. */
export class ContextChannel<
  Context = unknown,
  Of extends Envelope<any> = Envelope,
> extends PubSubChannel<Of> {
  /** The permission that a user needs to subscribe; null: every user may. @default null */
  static readonly permission: string | null = null
  /** The objects; undefined: there are none, and `context` is undefined. */
  static readonly model: Model<any> | undefined = undefined

  /** The key of the object. */
  readonly pk: Key

  /**
   * Throws InvalidArgumentError if the key is neither a whole number nor text of letters, digits
   * and -_.
   */
  constructor(pk: Key, consumer_channel?: string) {
    super(consumer_channel)
    if (typeof pk !== 'string' && !Number.isSafeInteger(pk))
      throw new InvalidArgumentError('channel: pk', 'text, or a whole number', pk)
    this.pk = pk
    checkName('channel: pk', this.channel_name)
  }

  /** The channel of an object: its key is the field that `key` of the model names. */
  static from_instance<Class extends new (pk: Key, consumer_channel?: string) => unknown>(
    this: Class,
    instance: object,
    consumer_channel?: string,
  ): InstanceType<Class> {
    const { model } = this as unknown as typeof ContextChannel
    const pk = (instance as Record<string, Key> | undefined)?.[model?.key ?? 'pk']
    return new this(pk as Key, consumer_channel) as InstanceType<Class>
  }

  get #class(): typeof ContextChannel {
    return this.constructor as typeof ContextChannel
  }

  /** `NAME_KEY`. */
  override get channel_name(): string {
    return `${this.#class.type_name}_${this.pk}`
  }

  /** Looks up the object. Rejects with NotFoundError (ERR_NOT_FOUND). */
  get context(): Promise<Context> {
    const { model } = this.#class
    return model === undefined ? Promise.resolve(undefined as Context) : model.get(this.pk)
  }

  /** May it subscribe? Without a permission: yes. Rejects with NotFoundError. */
  async allow_subscribe(subscriber: Subscriber): Promise<boolean> {
    const { permission, model } = this.#class
    const user = subscriber?.user
    if (permission === null) return true
    if (model === undefined || user === undefined || user === null) return false
    return model.allows(user, permission, await this.context)
  }
}

/** A class of channels that `context_channel()` has made. */
export interface ContextChannelClass<Context, Of extends Envelope<any>> {
  new (pk: Key, consumer_channel?: string): ContextChannel<Context, Of>
  /** The name of this kind of channel. */
  readonly type_name: string
  /** The messages that are published on it. */
  readonly envelope: Envelope<any>
  /** The permission that a user needs to subscribe; null: every user may. */
  readonly permission: string | null
  /** The objects. */
  readonly model: Model<any> | undefined
  /** The channel of an object. */
  readonly from_instance: typeof ContextChannel.from_instance
}

/** Options of `context_channel`. */
export interface ContextChannelOptions<Context, Of extends Envelope<any>> {
  /** The objects. */
  readonly model: Model<Context>
  /** The permission that a user needs to subscribe. @default null: every user may */
  readonly permission?: string | null | undefined
  /** The messages that are published on it. @default ws_outgoing */
  readonly envelope?: Of | undefined
}

const CHECKS: Checks<ContextChannelOptions<unknown, any>> = {
  model: instanceOf(Model),
  permission: (name, value) => value === null || checkName(name, value),
  envelope: instanceOf(Envelope),
}

/**
 * Makes a class of channels about objects. Throws InvalidArgumentError for an invalid option.
 *
 * @example
 * class ListChannel extends context_channel('list', { model: lists, permission: 'view' }) {}
 * new ListChannel(5).publish(new Renamed({ name: 'tea' }))
 */
export function context_channel<Context, Of extends Envelope<any> = Envelope>(
  name: string,
  options: ContextChannelOptions<Context, Of>,
): ContextChannelClass<Context, Of> {
  checkType('context_channel: name', name)
  checkOptions('context_channel', options, CHECKS, ['model'])
  const { model, permission = null, envelope = ws_outgoing as unknown as Of } = options
  return class extends ContextChannel<Context, Of> {
    static override readonly type_name = name
    static override readonly model = model
    static override readonly permission = permission
    static override readonly envelope = envelope
  }
}

/** The channel of one user. No other user may subscribe. */
export class UserChannel extends ContextChannel<undefined> {
  static override readonly type_name: string = 'user'

  /** Is it the user's own channel? */
  override async allow_subscribe(subscriber: Subscriber): Promise<boolean> {
    const user_pk = subscriber?.user_pk ?? null
    return user_pk !== null && String(user_pk) === String(this.pk)
  }
}
