/**
 * Layer 8. ChannelImplementation: the half of MessageChannel that the class of a protocol uses. A
 * protocol fills in the `do_` methods, and calls the methods after them: become_active, fail,
 * finish_close, emit, update_dcaps, add_child, make_child.
 *
 * Call order of the methods that a protocol fills in:
 *   constructor → do_open → (do_post, do_process, do_suspend, do_resume)* → do_close
 *
 * Rules:
 * 1. do_process is called only in 'opening', 'active' and 'closing'. The dcaps must contain
 *    'process', and must not contain 'suspend'.
 * 2. After a do_open that threw, the channel has failed. do_close is called nevertheless, when the
 *    program closes the channel.
 */

import { Channel } from '../channels/channel.ts'
import { LIFE, type Living } from '../channels/life.ts'
import { checkText } from '../core/checks.ts'
import { asError, InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { CloseReason, Data } from '../types.ts'
import {
  type Cap,
  type Carries,
  CARRIES_ALL,
  type Dcap,
  DIRECTIONS,
  NO_DCAPS,
  OF_AN_OPENING,
} from './caps.ts'
import type { ChannelContext, Init } from './init.ts'
import {
  type Addr,
  ChannelEvent,
  checkPosts,
  Message,
  type MessageFields,
  STATES,
  toMessage,
} from './message.ts'
import type { MessageChannel } from './message-channel.ts'
import { MESSAGE_LIFE, MessageLife } from './message-life.ts'
import type { Params } from './params.ts'
import type { Url } from './url.ts'

/**
 * The base of MessageChannel. A program's own channel extends MessageChannel, and has all of this.
 */
// Source: TLL, the base class of its channels.
export abstract class ChannelImplementation extends Channel {
  /** The name of the protocol in URLs. A name that ends with '+' is a prefix of other protocols. */
  static readonly protocol: string = ''
  /**
   * The `caps` of each channel, besides those of its URL.
   * @default none
   */
  static readonly caps: readonly Cap[] = []
  /**
   * 'normal': the channel has 'process' among its dcaps while it is open. 'never': it is never
   * processed, unless it adds 'process' itself.
   * @default 'normal'
   */
  static readonly process_policy: 'normal' | 'never' = 'normal'
  /**
   * When `post` is allowed. 'active': only in the state 'active'. 'always': also in 'opening' and
   * 'closing'.
   * @default 'active'
   */
  static readonly post_policy: 'active' | 'always' = 'active'
  /**
   * The names of the parameters that it reads later than in its constructor, for example in
   * `do_open`. A parameter of the URL that is neither read there nor named here is refused. 'host'
   * stands for the host: if that is neither read there nor named here, one with a '=' is taken for
   * a parameter, as in `mine://key=value`, and refused.
   * @default none
   */
  static readonly parameters: readonly string[] = []

  /** The context that made the channel. */
  readonly context: ChannelContext
  /** The channel's URL and its parameters. */
  readonly params: Params
  /** The channel that the parameter `master` names; undefined if there is none. */
  readonly master: MessageChannel | undefined
  /** What the channel is, see `Cap`. */
  readonly caps: ReadonlySet<Cap>
  /** What the channel needs at the moment, see `Dcap`. Live; only `update_dcaps` changes it. */
  readonly dcaps: ReadonlySet<Dcap> = new Set()
  /** The inner half of the channel, for other files of sluice. @hidden */
  readonly [MESSAGE_LIFE]: MessageLife

  /**
   * A class with a constructor of its own passes `init` on. It reads its parameters there (see
   * `parameters`), and may throw: then there is no channel. Throws UrlError if a parameter is
   * invalid. Calls no hook.
   */
  constructor(init: Init) {
    if (typeof init?.params?.boolean !== 'function') {
      throw new InvalidArgumentError(
        `new ${new.target.name}: init`,
        "what context.init() passes; call context.init('protocol://…')",
        init,
      )
    }
    super({ engine: init.engine, name: init.name })
    const { params } = init
    this.context = init.context
    this.params = params
    this.master = init.master
    for (const name of new.target.parameters) name === 'host' ? params.url.host : params.has(name)
    const direction = params.choice('dir', Object.keys(DIRECTIONS), 'rw')
    this.caps = new Set([
      ...(new.target as unknown as typeof ChannelImplementation).caps,
      ...(params.has('dir') ? (DIRECTIONS[direction] as readonly Cap[]) : []),
      ...(init.is_internal ? ['custom' as const] : []),
    ])
    this[MESSAGE_LIFE] = new MessageLife(this)
  }

  // ---- the other half, in MessageChannel --------------------------------------------------------

  abstract process(): boolean
  abstract on_message(message: Message): void | Promise<void>
  abstract on_control(message: Message): void | Promise<void>

  // ---- what a protocol fills in -----------------------------------------------------------------

  /**
   * Called by `open`, in the state 'opening'. Opens what is below. `params` are those of this
   * opening: it reads what it knows of them before it returns, and the rest is refused. Default:
   * nothing.
   *
   * If it returns 'opening', the channel is not ready: it calls `become_active` later. If it
   * returns a promise, the same applies to what that resolves with. Otherwise it becomes active
   * now. If it throws, or its promise rejects, the channel fails.
   */
  do_open(_params: Params): void | 'opening' | Promise<void | 'opening'> {}

  /**
   * Called by `close`, in the state 'closing'. Frees what `do_open` took. Default: nothing.
   *
   * With 'long_close' among its caps, and without `force`, the channel stays in 'closing': it calls
   * `finish_close` when it is done. Until then `do_close` may be called once more, with `force`. If
   * it throws, a channel with 'long_close' fails; otherwise, and with `force`, the error is logged.
   *
   * If it returns a promise, the channel stays in 'closing' as well, and has closed when that
   * settles. If the promise rejects, the channel fails. With `force` nothing waits for it.
   */
  do_close(_force: boolean): void | Promise<void> {}

  /**
   * Called by `post`. Sends the message. Returns false if there is no room. If it throws, `post`
   * throws this error, and the state does not change. Default: throws InvalidStateError.
   *
   * If it returns a promise, the message counts as taken. If the promise rejects, `on_error` is
   * called, and the channel goes on.
   */
  do_post(_message: Message): void | boolean | Promise<void> {
    throw new InvalidStateError(
      'post()',
      `${this.params.url.protocol}:// takes no messages`,
      'it only gives them',
    )
  }

  /**
   * Called with messages for several peers of a server: each peer gets all of them, in this order.
   * Returns the peers that did not take all of them: there is no room, or they have gone. Default:
   * calls `do_post` for each peer and message. A channel that packs messages packs each of them
   * once. Throws InvalidArgumentError unless they are an array of messages, and iterable.
   */
  do_post_all(messages: readonly Message[], addrs: Iterable<Addr>): Addr[] {
    checkPosts(messages, addrs)
    return [...addrs].filter(
      addr => !messages.every(each => this.do_post(new Message({ ...each, addr })) !== false),
    )
  }

  /**
   * Called by `process`. Does one piece of work: receives a message with `emit`, or goes on with
   * opening or closing. Returns false if there was nothing to do. If it throws, the channel fails.
   * Default: nothing to do.
   *
   * If it returns a promise, it is called again when that has settled. If the promise rejects, the
   * channel fails.
   */
  do_process(): void | boolean | Promise<void> {
    return false
  }

  /**
   * Called when the channel is suspended. A channel that receives without being processed stops
   * here. Default: nothing.
   */
  do_suspend(): void | Promise<void> {}

  /** Called when the channel is resumed. Default: nothing. */
  do_resume(): void | Promise<void> {}

  /**
   * Nothing more will be posted: the peer is told so when everything has gone, and receiving goes
   * on until the peer ends its side, too. Returns false if the protocol cannot do that; then
   * nothing has happened. Default: it cannot.
   */
  half_close(): boolean {
    return false
  }

  /** A URL for a peer of this channel. Undefined if there is none, or not yet. */
  get client_url(): string | undefined {
    return undefined
  }

  /**
   * What it keeps of a message on its way. A prefix that makes bytes of text looks at it, to refuse
   * a URL that could not work. Default: everything.
   */
  get carries(): Carries {
    return CARRIES_ALL
  }

  /** Facts about the channel by name: addresses, sequence numbers. They depend on the protocol. */
  get info(): Readonly<Record<string, unknown>> {
    return {}
  }

  // ---- what a protocol calls --------------------------------------------------------------------

  /**
   * The channel is ready: the state becomes 'active'. Does nothing unless it is 'opening', and
   * `do_open` has been called: a callback of that state comes before.
   */
  become_active(): void {
    const inside = this[MESSAGE_LIFE]
    if (this.state !== 'opening' || !inside.isBegun) return
    inside.wasActive = true
    this[LIFE].open('open')
  }

  /**
   * The channel cannot go on: the state becomes 'error', and `on_error` is called. Only `close`
   * ends this state. Does nothing if the channel is closed or has failed. While the channel is
   * closed by force, the error is only logged.
   */
  fail(error: unknown): void {
    if (this.state === 'closed' || this.state === 'error') return
    const failure = asError(error)
    const inside = this[MESSAGE_LIFE]
    if (inside.isForced) return this[LIFE].log(failure)
    // Set before the state changes: a callback of the state may read `error`.
    inside.error = failure
    this[LIFE].halt(failure)
  }

  /**
   * The channel has closed: the state becomes 'closed', and `on_close` is called. Children that are
   * open are closed by force. Does nothing unless the state is 'closing', and `do_close` has been
   * called: a callback of that state comes before. `reason` replaces the one that `close` set.
   */
  finish_close(reason?: CloseReason): void {
    if (this.state !== 'closing' || !this[MESSAGE_LIFE].isEnding) return
    this.update_dcaps(NO_DCAPS, OF_AN_OPENING)
    for (const child of this[LIFE].children) child.close(true)
    if (this.state === 'closing') this[LIFE].finishClosing(reason)
  }

  /**
   * Delivers a message: to `on_message` or `on_control`, then to the callbacks. Returns a promise
   * if one of them did; then wait for it before the next message, if that is possible. In the
   * states 'error' and 'closed' the message is dropped. Throws as `post` does if it is no message.
   */
  emit(message: MessageFields | Data): Promise<void> | undefined {
    const { life, outlet } = this[MESSAGE_LIFE]
    const { state } = life
    if (state === 'error' || state === 'closed') return undefined
    return outlet.emit(message instanceof Message ? message : toMessage(message))
  }

  /**
   * Adds and removes dcaps. If 'pending' is added, the channel is processed in the next turn of the
   * engine. Throws InvalidArgumentError unless both are arrays.
   */
  update_dcaps(added: readonly Dcap[], removed: readonly Dcap[] = NO_DCAPS): void {
    if (!Array.isArray(added) || !Array.isArray(removed))
      throw new InvalidArgumentError('update_dcaps', "arrays, such as ['pending']", added)
    this[MESSAGE_LIFE].updateDcaps(added, removed)
  }

  /**
   * Adds a child: it is suspended and closed with this channel. Throws InvalidArgumentError if it
   * is not a message channel. Throws InvalidStateError if this channel does not have 'parent' among
   * its caps, if the child already has a parent, or if this channel is below the child.
   */
  add_child(child: MessageChannel): void {
    this.#checkChild(child)
    this[LIFE].addChild(child, 'apart')
    this[MESSAGE_LIFE].tell(ChannelEvent.Add, child)
    child.callback_add(({ msgid }) => {
      if (STATES[msgid] === 'destroy') this[MESSAGE_LIFE].tell(ChannelEvent.Delete, child)
    }, 'state')
  }

  #checkChild(child: MessageChannel): void {
    if (!(child instanceof ChannelImplementation))
      throw new InvalidArgumentError('add_child', 'a message channel', child)
    if (!this.caps.has('parent'))
      throw new InvalidStateError(
        'add_child()',
        "'parent' is not among its caps",
        'add it to the static caps of the class',
      )
    const { parent } = child[LIFE]
    if (parent !== undefined)
      throw new InvalidStateError(
        'add_child()',
        `${child.name} is already a child of ${parent.name}`,
        'add it once',
      )
    for (let above: Living | undefined = this; above !== undefined; above = above[LIFE].parent) {
      if (above === child)
        throw new InvalidStateError(
          'add_child()',
          `${this.name} is below ${child.name}`,
          'add another channel',
        )
    }
  }

  /**
   * Makes a channel and adds it as a child. Its name is `name/suffix`, and the context does not
   * know it. Throws what `context.init` and `add_child` throw.
   */
  make_child(url: string | Url, suffix: string): MessageChannel {
    checkText('make_child: suffix', suffix)
    const child = this.context.init(url, {
      name: `${this.name}/${suffix}`,
      engine: this.engine,
      is_internal: true,
      ...(this.master && { master: this.master }),
    })
    this.add_child(child)
    return child
  }
}
