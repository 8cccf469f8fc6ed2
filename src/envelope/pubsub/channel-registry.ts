/**
 * Layer 9. ChannelRegistry: which kinds of channels there are, by name.
 */

import { checkName, classOf, isClassOf } from '../../core/checks.ts'
import { InvalidStateError } from '../../errors.ts'
import { ContextChannel, type Key, UserChannel } from './context-channel.ts'
import { OnlineChannel, PubSubChannel, type PubSubChannelClass } from './pubsub-channel.ts'

/** A class of channels. */
interface ChannelClass {
  /** The name of this kind of channel. */
  readonly type_name: string
}

/** The classes of channels, by their names. */
export class ChannelRegistry<Class extends ChannelClass> extends Map<string, Class> {
  readonly #check: (name: string, value: unknown) => unknown

  /** `Base`: what its classes extend. */
  constructor(Base: abstract new (...args: any[]) => unknown, ...classes: readonly Class[]) {
    super()
    this.#check = classOf(Base)
    this.add(...classes)
  }

  /**
   * Adds classes. A class that extends the one of that name replaces it.
   *
   * Throws InvalidArgumentError for anything but a class of channels, InvalidStateError if the name
   * is taken.
   */
  add(...classes: readonly Class[]): this {
    for (const Class of classes) {
      this.#check('registry.add', Class)
      checkName('registry.add: type_name', Class.type_name)
      const other = this.get(Class.type_name) as unknown as Function | undefined
      const isOther = other !== undefined && other !== (Class as unknown)
      if (isOther && !isClassOf(Class, other))
        throw new InvalidStateError('add()', `${Class.type_name} is taken`, 'choose another name')
      this.set(Class.type_name, Class)
    }
    return this
  }
}

/** Channels that are about no object. */
export const pubsub_channel_registry: ChannelRegistry<PubSubChannelClass<any>> =
  new ChannelRegistry<PubSubChannelClass<any>>(PubSubChannel, OnlineChannel)

/** A class of channels about objects. */
export interface AnyContextChannelClass extends ChannelClass {
  new (pk: Key, consumer_channel?: string): ContextChannel<any, any>
}

/** Channels about objects: those that a peer may ask for by `channel.subscribe`. */
export const context_channel_registry: ChannelRegistry<AnyContextChannelClass> =
  new ChannelRegistry<AnyContextChannelClass>(ContextChannel, UserChannel)

/** The channel of that name, for a consumer; undefined if it is about no object. */
export function channelNamed(
  channel_name: string,
  consumer_channel: string,
): ContextChannel<any, any> | undefined {
  const types = [...context_channel_registry.values()]
    .filter(({ type_name }) => channel_name.startsWith(`${type_name}_`))
    .sort((one, other) => other.type_name.length - one.type_name.length)
  const [Class] = types
  if (Class === undefined) return undefined
  const pk = channel_name.slice(Class.type_name.length + 1)
  return new Class(/^(0|[1-9]\d{0,14})$/.test(pk) ? Number(pk) : pk, consumer_channel)
}
