/**
 * Layer 8. MessageChannel: what a program uses of every message channel. The half that the class of
 * a protocol uses is in channel-implementation.ts.
 *
 * The way of a message out: post → do_post. The way of a message in: process → do_process → emit →
 * on_message or on_control → the callbacks.
 *
 * Rules:
 * 1. The life cycle is that of TLL: only `close` ends the state 'error', `close(true)` never fails,
 *    and a long close stays in 'closing' until it is done. Unlike with other channels of sluice,
 *    hooks and callbacks run inside `open` and `close`, because TLL promises the new state when
 *    they return.
 * 2. A failure of the world leads to the state 'error' and to on_error. Misuse throws, and changes
 *    nothing.
 * 3. If a hook or callback returns a promise, the next message waits until it has settled, provided
 *    that the channel can wait.
 */

import { LIFE } from '../channels/life.ts'
import { checkBoolean, checkClosed } from '../core/checks.ts'
import { isPromiseLike } from '../core/promises.ts'
import { InvalidStateError } from '../errors.ts'
import type { Data, State } from '../types.ts'
import { unknownParameter } from './asked.ts'
import type { Callback, Mask } from './callbacks.ts'
import { NO_DCAPS, OF_AN_OPENING } from './caps.ts'
import { ChannelImplementation } from './channel-implementation.ts'
import { iterate, receive, type RecvOptions } from './inbox.ts'
import { Message, type MessageFields, toMessage, TYPES } from './message.ts'
import { MESSAGE_LIFE } from './message-life.ts'
import { Params } from './params.ts'
import type { Stat } from './tools/stat.ts'
import { formatEntries, type Parameters, parseParameters } from './url.ts'

/**
 * Sends and receives messages in the way that its URL says. `context.init(url)` makes one.
 *
 * A program's own channel is a subclass with a `protocol` and `do_post`, and with `do_open`,
 * `do_close` and `do_process` if it needs them. It calls `emit` for each message that it receives.
 * `context.register` makes the class known.
 *
 * @example
 * class Reverse extends MessageChannel {
 *   static override readonly protocol = 'reverse'
 *   override do_post({ data }: Message) {
 *     this.emit({ data: data.toReversed() })
 *   }
 * }
 */
// Source: TLL, "Channel".
export abstract class MessageChannel extends ChannelImplementation {
  get #kind(): typeof MessageChannel {
    return this.constructor as typeof MessageChannel
  }

  // ---- opening ----------------------------------------------------------------------------------

  /**
   * Opens the channel and returns it. Its state is then 'opening', 'active' or 'error'. In 'error'
   * `on_error` has been called, and the channel must be closed before it can be opened again.
   *
   * `parameters` are for this opening: text like 'a=1;b=2', or an object. Their meaning depends on
   * the protocol. If the protocol has no such parameter, or the value is invalid, opening fails
   * with a UrlError.
   *
   * Throws InvalidStateError unless the channel is closed, and UrlError or InvalidArgumentError if
   * `parameters` is not of that form. Nothing has changed then.
   */
  open(parameters: Parameters = ''): this {
    this.#checkOpening()
    const entries = parseParameters(parameters)
    this[LIFE].beginOpening()
    this[MESSAGE_LIFE].begin(formatEntries(entries).slice(1))
    this[LIFE].announce()
    // A hook may have closed it.
    if (this.state !== 'opening') return this
    if (this.#kind.process_policy === 'normal') this.update_dcaps(['process'])
    try {
      this.#open(Params.of(entries, this.params.url.protocol))
    } catch (error) {
      // Nothing was opened, so there is nothing to process.
      this.update_dcaps(NO_DCAPS, OF_AN_OPENING)
      this.fail(error)
    }
    return this
  }

  #open(opening: Params): void {
    this[MESSAGE_LIFE].isBegun = true
    const result = this.do_open(opening)
    const unknown = unknownParameter('this opening', opening.url.entries, [opening])
    if (unknown !== undefined) throw unknown
    const opened = (how: unknown): void => {
      if (how !== 'opening') this.become_active()
    }
    if (isPromiseLike(result)) this[MESSAGE_LIFE].later(result, opened)
    else opened(result)
  }

  #checkOpening(): void {
    if (this[MESSAGE_LIFE].isDestroyed)
      throw new InvalidStateError(
        'open()',
        'the channel was destroyed',
        'make another with context.init()',
      )
    checkClosed('open()', 'channel', this.state)
  }

  // ---- sending ----------------------------------------------------------------------------------

  /**
   * Sends a message, given as its fields or as its data only. Its bytes must not be changed
   * afterwards. Posting never changes the state.
   *
   * Returns true if the message was taken. Returns false if the queue is full: control WriteReady
   * reports when there is room. Also returns false if the channel is closing, has failed or has
   * closed: a peer may close at any moment, so this is not misuse.
   *
   * Throws InvalidStateError before the channel is active, InvalidArgumentError if it is not a
   * message, and what the protocol throws.
   */
  post(message: MessageFields | Data): boolean {
    const whole = message instanceof Message ? message : toMessage(message)
    const inside = this[MESSAGE_LIFE]
    const { state } = inside.life
    if (state !== 'active' && !this.#mayPost(state)) return false
    const result = this.do_post(whole)
    if (typeof result === 'object') inside.watch(result)
    const isTaken = result !== false
    const { outlet } = inside
    if (outlet.isWatched) outlet.posted(whole, isTaken)
    return isTaken
  }

  #mayPost(state: State): boolean {
    if (this.#kind.post_policy === 'always' && (state === 'opening' || state === 'closing'))
      return true
    if (state === 'opening' || (state === 'closed' && !this[MESSAGE_LIFE].wasActive)) {
      throw new InvalidStateError(
        'post()',
        `the channel is ${state}, not active yet`,
        'open() it and wait for `opened`, or for the state',
      )
    }
    return false
  }

  // ---- receiving --------------------------------------------------------------------------------

  /**
   * Does one piece of work: receives a message, or goes on with opening or closing. The engine
   * calls it while the channel has 'process' and 'pending' among its dcaps. A program may call it
   * at any time.
   *
   * Returns false if there was nothing to do. If the work fails, the state becomes 'error',
   * `on_error` is called, and it returns true.
   */
  process(): boolean {
    const inside = this[MESSAGE_LIFE]
    const { state } = inside.life
    if (state === 'closed' || state === 'error' || !inside.mayProcess || inside.outlet.isHeld)
      return false
    try {
      const result = this.do_process()
      if (typeof result === 'object') inside.holdFor(result)
      return result !== false
    } catch (error) {
      this.fail(error)
      // Not false: on_error may have opened the channel again, and it may be pending.
      return true
    }
  }

  /**
   * Adds a callback for messages of these types. 'all' means every type except 'channel'. If the
   * callback was added before, these types are added to its own. Callbacks are called in the order
   * in which they were added. Throws InvalidArgumentError.
   */
  callback_add(callback: Callback, mask: Mask = 'all'): void {
    this[MESSAGE_LIFE].outlet.callbacks.add(callback, mask)
  }

  /**
   * Removes a callback for messages of these types; by default for all of them. It may be called
   * inside a callback. Throws InvalidStateError if the callback was not added.
   */
  callback_del(callback: Callback, mask: Mask = TYPES): void {
    this[MESSAGE_LIFE].outlet.callbacks.delete(callback, mask)
  }

  /**
   * Waits for the next message of the type. If several calls wait, each gets another message, in
   * the order of the calls. Messages that arrive while nothing waits only go to the hooks and
   * callbacks; to receive all of them use `for await`. If the channel was never opened, the call
   * waits until it is.
   *
   * Rejects with InvalidArgumentError if the options are invalid, TimeoutError after `timeout` ms,
   * ClosedError when the channel closes, and with the channel's error when it fails.
   */
  recv(options: RecvOptions = {}): Promise<Message> {
    return receive(this, options, this[MESSAGE_LIFE].isNew)
  }

  /**
   * `for await (const message of channel)`: all data from now on, one message at a time. If the
   * channel can wait, it receives the next message when the loop asks for it. Otherwise up to 16
   * 384 messages are kept; with more the loop throws OverflowError.
   *
   * The loop ends when the channel closes. If the channel was never opened, the loop waits until it
   * is. It throws the channel's error when the channel fails. Leaving the loop does not close the
   * channel.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return iterate(this, this[MESSAGE_LIFE].isNew)
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes the channel. A channel with 'long_close' among its caps may stay in 'closing' until it
   * is done. Any other channel is closed on return. A channel that is closing or closed: nothing
   * happens. With `force` it is closed on return, whatever its state was; this never fails.
   *
   * This differs from other channels: their argument is `flush`, and their `close()` drops what is
   * not sent.
   */
  override close(force = false): void {
    checkBoolean('close: force', force)
    if (this.state === 'closed' || (this.state === 'closing' && !force)) return
    if (force) this[MESSAGE_LIFE].isForced = true
    this[MESSAGE_LIFE].isEnding = false
    this[LIFE].beginClosing()
    // A callback may have closed it by force, or called fail.
    if (this.state !== 'closing') return
    this[MESSAGE_LIFE].isEnding = true
    let isLong = !force && this.caps.has('long_close')
    try {
      const result = this.do_close(force)
      if (isPromiseLike(result)) {
        isLong = !force
        this[MESSAGE_LIFE].later(result, () => this.finish_close())
      }
    } catch (error) {
      if (isLong) return this.fail(error)
      this[LIFE].log(error)
    }
    if (!isLong) this.finish_close()
  }

  /** Another name for `close()`. */
  override end(): void {
    this.close()
  }

  /** Another name for `close(true)`. */
  abort(): void {
    this.close(true)
  }

  /**
   * Closes the channel by force, for ever, and its children with it. The context forgets its name,
   * and its parent forgets the channel. Callbacks get the state 'destroy'. `open` throws from now
   * on.
   */
  destroy(): void {
    const inside = this[MESSAGE_LIFE]
    if (inside.isDestroyed) return
    // First, so that on_close cannot open it again.
    inside.isDestroyed = true
    this.close(true)
    for (const child of [...this.children]) child.destroy()
    this.context.forget(this)
    this[LIFE].destroy()
  }

  // ---- facts ------------------------------------------------------------------------------------

  /** The counters of messages and bytes, with `stat=yes`; otherwise undefined. */
  get stat(): Stat | undefined {
    return this[MESSAGE_LIFE].outlet.stat
  }

  /**
   * The error that the channel failed with, which `on_error` got. It is that of this opening; if
   * the channel is closed, that of the last one. Undefined if it has not failed.
   */
  get error(): Error | undefined {
    return this[MESSAGE_LIFE].error
  }

  /** The channels below this one. Live; do not change it. */
  get children(): ReadonlySet<MessageChannel> {
    return this[LIFE].children as unknown as ReadonlySet<MessageChannel>
  }

  /**
   * A description of the channel, to be shown.
   * - `state`: its state
   * - `init`: the URL that made it
   * - `open`: the parameters of its opening
   * - `info`: see `info`
   * - `client`: see `client_url`
   */
  get config(): {
    state: State
    init: string
    open: string
    info: Readonly<Record<string, unknown>>
    client: string | undefined
  } {
    return {
      state: this.state,
      init: String(this.params.url),
      open: this[MESSAGE_LIFE].opening,
      info: this.info,
      client: this.client_url,
    }
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called with each message of type 'data', before the callbacks. If it returns a promise, the
   * next message waits. Default: nothing.
   */
  on_message(_message: Message): void | Promise<void> {}

  /**
   * Called with each message of type 'control', before the callbacks: a report of the channel about
   * its work, see `Control`. If it returns a promise, the next message waits. Default: nothing.
   */
  on_control(_message: Message): void | Promise<void> {}

  /**
   * Called when the channel has failed, with the error; its state is 'error' then. Also called with
   * each error that a hook or callback throws; the channel goes on then. Default: logs one line.
   *
   * This differs from other channels: their default also closes the channel.
   */
  override on_error(error: Error): void {
    const { errorsTo } = this[MESSAGE_LIFE]
    if (errorsTo === undefined) this[LIFE].log(error)
    else errorsTo(error)
  }
}
