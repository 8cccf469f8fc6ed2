/**
 * Layer 8. How a channel is made: what a context gives to a channel, and what it needs of an
 * implementation.
 */

import type { Engine } from '../engine.ts'
import type { MessageChannel } from './message-channel.ts'
import type { Params } from './params.ts'
import type { Url } from './url.ts'

/** What the constructor of a channel gets from the context. */
export interface Init {
  /** The engine that drives the channel. */
  readonly engine: Engine
  /** The channel's name: from the URL, from `InitOptions`, or made up. */
  readonly name: string
  /** The channel's URL and its parameters. */
  readonly params: Params
  /** The context that makes the channel. */
  readonly context: ChannelContext
  /** The channel named by the parameter `master`, or given in `InitOptions`. */
  readonly master: MessageChannel | undefined
  /** True if the channel belongs to a parent: the context does not know its name. */
  readonly is_internal: boolean
}

/** Makes the channels of one protocol: a class of channels, or an object that chooses one. */
export interface Implementation {
  /** Its name in URLs. A name that ends with '+' is a prefix. */
  readonly protocol: string
  /**
   * Returns another implementation that is to be used for this URL, or undefined to use this one.
   * May throw: the URL is then refused with that error.
   */
  replace?(init: Init): Implementation | undefined
}

/** The part of a context that channels use. */
export interface ChannelContext {
  /** Makes a channel, see `Context.init`. */
  init(url: string | Url, options?: InitOptions): MessageChannel
  /** Returns the channel of that name, or undefined. */
  get(name: string): MessageChannel | undefined
  /** Called by a channel that is destroyed: its name is free again. */
  forget(channel: MessageChannel): void
}

/** Options of `Context.init`. */
export interface InitOptions {
  /** The channel's name, if its URL gives none. @default a made-up name, `noname-1` */
  readonly name?: string | undefined
  /** The channel's master. It takes precedence over the URL's. @default none */
  readonly master?: MessageChannel | undefined
  /** The engine that drives the channel. @default the engine of the context */
  readonly engine?: Engine | undefined
  /** True for a channel that belongs to a parent: the context does not know it. @default false */
  readonly is_internal?: boolean | undefined
}
