/**
 * Layer 8. How a channel is made: what it gets of its context, and what the context wants of an
 * implementation.
 */

import type { Engine } from '../engine.ts'
import type { MessageChannel } from './message-channel.ts'
import type { Params } from './params.ts'
import type { Url } from './url.ts'

/** What the context hands to a channel that is being made. */
export interface Init {
  readonly engine: Engine
  readonly name: string
  /** The URL, and what it says by name. */
  readonly params: Params
  readonly context: ChannelContext
  /** The channel that `master=` names, or that was given. */
  readonly master: MessageChannel | undefined
  /** Belongs to a parent: the context does not know its name. */
  readonly is_internal: boolean
}

/** What makes channels of one protocol: a class of channels, or what only names one. */
export interface Implementation {
  /** What URLs call it; with '+' at the end it is a prefix. */
  readonly protocol: string
  /**
   * Names another implementation that is to be used for this URL; undefined: this one. Throws what
   * is wrong with the URL.
   */
  replace?(init: Init): Implementation | undefined
}

/** What a channel may ask of its context. */
export interface ChannelContext {
  init(url: string | Url, options?: InitOptions): MessageChannel
  get(name: string): MessageChannel | undefined
  /** Frees the name of a channel that is destroyed. */
  forget(channel: MessageChannel): void
}

/** What `init` can be told besides the URL. */
export interface InitOptions {
  readonly name?: string
  readonly master?: MessageChannel
  readonly engine?: Engine
  readonly is_internal?: boolean
}
