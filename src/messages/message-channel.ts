/**
 * Layer 8. MessageChannel: what every message channel is, whatever carries its messages.
 *
 * The way of a message out: post → do_post, of the implementation. The way of a message in: process
 * → do_process → emit → on_message (or on_control), then the callbacks.
 *
 * Rules:
 * 1. The life cycle is that of Channel, of the seed to the letter: nothing but `close` leaves
 *    'error', a forced close never fails, a long one stays in 'closing' until it is done.
 *    `Differs:` hooks and callbacks run inside `open` and `close`, as the seed promises a state on
 *    return.
 * 2. `process` reaches the implementation only in 'opening', 'active' and 'closing', with 'process'
 *    and without 'suspend'.
 * 3. What the world does is an error state and on_error; a call that makes no sense throws and
 *    changes nothing.
 * 4. A callback that returns a promise holds the next message of this channel until it settles,
 *    where there is one to be held.
 *
 * Source: seed 001.
 */

import { Channel } from '../channels/channel.ts'
import type { Driver } from '../channels/hooks.ts'
import { LIFE, type Living } from '../channels/life.ts'
import { checkBoolean } from '../channels/settings.ts'
import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { CloseReason, Data, State, StateSignal } from '../types.ts'
import { type Cap, type Dcap, DIRECTIONS, NO_DCAPS, OF_AN_OPENING } from './caps.ts'
import { iterate, receive, type RecvOptions } from './inbox.ts'
import type { ChannelContext, Init } from './init.ts'
import type { Callback, Mask } from './callbacks.ts'
import { request } from './loop.ts'
import { ChannelEvent, Message, type MessageFields, STATES, toMessage, TYPES } from './message.ts'
import { Outlet } from './outlet.ts'
import { Params } from './params.ts'
import type { Stat } from './tools/stat.ts'
import { formatEntries, type Parameters, parseParameters, type Url } from './url.ts'

/**
 * Sends and receives messages over whatever its URL says. Made by `context.init(url)`.
 *
 * One of your own is a subclass with a `protocol`, `do_post` and, as needed, `do_open`, `do_close`,
 * `do_process`; what it receives it gives to `emit`. Its constructor gets an `Init`, hands it on,
 * and may throw: then there is no channel.
 *
 * Source: seed 001, "Channel".
 */
export abstract class MessageChannel extends Channel {
  /** What URLs call it. One that ends with '+' is a prefix: it stands before another protocol. */
  static readonly protocol: string = ''
  /** Its `caps`, besides those of its URL. */
  static readonly caps: readonly Cap[] = []
  /** 'normal': it has 'process' while it is open. 'never': it has nothing to be processed. */
  static readonly process_policy: 'normal' | 'never' = 'normal'
  /** When may be posted: only while it is active, or also in 'opening' and 'closing'. */
  static readonly post_policy: 'active' | 'always' = 'active'

  readonly context: ChannelContext
  /** The URL that made it, and what it says by name. */
  readonly params: Params
  readonly master: MessageChannel | undefined
  readonly caps: ReadonlySet<Cap>
  /** Live: do not change it, `update_dcaps` does. */
  readonly dcaps: ReadonlySet<Dcap> = new Set()

  readonly #outlet: Outlet
  #opening = ''
  #wasActive = false
  #error: Error | undefined
  #isForced = false
  #isDestroyed = false

  /** Throws UrlError for a parameter that cannot be. Calls no hook. */
  constructor(init: Init) {
    if (typeof init?.params?.boolean !== 'function') {
      throw new InvalidArgumentError(
        `new ${new.target.name}`,
        "what context.init() gives; call context.init('protocol://…')",
        init,
      )
    }
    super({ engine: init.engine, name: init.name })
    const { params } = init
    this.context = init.context
    this.params = params
    this.master = init.master
    const direction = DIRECTIONS[
      params.choice('dir', Object.keys(DIRECTIONS), 'rw')
    ] as readonly Cap[]
    this.caps = new Set([
      ...(new.target as typeof MessageChannel).caps,
      ...(params.has('dir') ? direction : []),
      ...(init.is_internal ? ['custom' as const] : []),
    ])
    this.#outlet = new Outlet(
      this,
      params,
      error => this[LIFE].hookFailed(error),
      () => this.#goOn(),
    )
    this[LIFE].driver = this.#driver
  }

  readonly #driver: Driver = {
    outlivesClosing: true,
    address: () => String(this.params.url),
    stateChanged: state => this.#stateChanged(state),
    suspended: suspension => {
      this.update_dcaps(suspension === 'own' ? ['suspend', 'suspend_permanent'] : ['suspend'])
      this.do_suspend()
    },
    resumed: () => {
      this.update_dcaps(NO_DCAPS, ['suspend', 'suspend_permanent'])
      this.do_resume()
      this.#goOn()
    },
    // Its bytes are counted by the socket below it, if there is one.
    gauge: () => ({ kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }),
    hookReturned: result => void this.#outlet.hold(result),
  }

  get #kind(): typeof MessageChannel {
    return this.constructor as typeof MessageChannel
  }

  // ---- opening ----------------------------------------------------------------------------------

  /**
   * Opens it, and returns the channel; its state is then 'opening', 'active' or 'error' (`on_error`
   * has been called, and it has to be closed before it is opened again). `parameters` are for this
   * opening: 'a=1;b=2', or an object; what they may be the protocol says. Throws InvalidStateError
   * unless it is closed, UrlError for parameters that cannot be read; nothing has changed then.
   */
  open(parameters: Parameters = ''): this {
    if (this.#isDestroyed)
      throw new InvalidStateError(
        'open()',
        'the channel was destroyed',
        'make another with context.init()',
      )
    const { state } = this
    if (state !== 'closed')
      throw new InvalidStateError(
        'open()',
        `the channel is ${state}`,
        state === 'closing' ? 'await its `closed` first' : 'close() it first',
      )
    const entries = parseParameters(parameters)
    this[LIFE].beginOpening()
    this.#opening = formatEntries(entries).slice(1)
    this.#wasActive = false
    this.#error = undefined
    this.#isForced = false
    this[LIFE].announce()
    // A hook may have closed it.
    if (this.state !== 'opening') return this
    if (this.#kind.process_policy === 'normal') this.update_dcaps(['process'])
    try {
      if (this.do_open(Params.of(entries, this.params.url.protocol)) !== 'opening')
        this.become_active()
    } catch (error) {
      // Nothing is there that could be processed.
      this.update_dcaps(NO_DCAPS, OF_AN_OPENING)
      this.fail(error)
    }
    return this
  }

  // ---- sending ----------------------------------------------------------------------------------

  /**
   * Sends a message: its fields, or its data alone. True: it was taken. False: it was not, because
   * so much is queued (control WriteReady says when there is room), or because the channel is
   * closing, failed or has closed: a peer may close at any moment. The state does not change. Bytes
   * must not be changed afterwards. Throws InvalidStateError before it is active,
   * InvalidArgumentError for what is no message, and what the protocol refuses.
   */
  post(message: MessageFields | Data): boolean {
    const whole = toMessage(message)
    if (this.state !== 'active' && !this.#mayPost(this.state)) return false
    const isTaken = this.do_post(whole) !== false
    this.#outlet.posted(whole, isTaken)
    return isTaken
  }

  #mayPost(state: State): boolean {
    if (this.#kind.post_policy === 'always' && (state === 'opening' || state === 'closing'))
      return true
    if (state === 'opening' || (state === 'closed' && !this.#wasActive)) {
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
   * Does one piece of its work: receives a message, goes on with opening or closing. The engine
   * calls it for channels with 'process' and 'pending'; calling it yourself is harmless. False:
   * there was nothing to do. A failure is something: the state becomes 'error', and on_error is
   * called.
   */
  process(): boolean {
    const { state, dcaps } = this
    if (
      state === 'closed' ||
      state === 'error' ||
      this.#outlet.isHeld ||
      !dcaps.has('process') ||
      dcaps.has('suspend')
    )
      return false
    try {
      return this.do_process() !== false
    } catch (error) {
      this.fail(error)
      // Not false: on_error may have opened it again, and what is pending then must not be
      // forgotten.
      return true
    }
  }

  /**
   * Tells `callback` of messages of these types; 'all' is every type but 'channel'. Added already:
   * of these types, too. They are called in the order of adding.
   */
  callback_add(callback: Callback, mask: Mask = 'all'): void {
    this.#outlet.callbacks.add(callback, mask)
  }

  /**
   * Tells `callback` of these types no more; by default of none. Works inside a callback. Throws
   * InvalidStateError for one that was not added.
   */
  callback_del(callback: Callback, mask: Mask = TYPES): void {
    this.#outlet.callbacks.delete(callback, mask)
  }

  /**
   * Resolves with the next message of that type. What comes while nobody waits goes to the
   * callbacks alone; for one after the other use `for await`. Rejects with TimeoutError after
   * `timeout` ms, ClosedError when the channel closes, its error when it fails.
   */
  recv(options: RecvOptions = {}): Promise<Message> {
    return receive(this, options)
  }

  /**
   * `for await (const message of channel)`: all data from now on, one at a time; the next is
   * received when the loop asks for it, where the channel can wait. It ends when the channel
   * closes, and throws when it fails. Breaking out of it does not close the channel.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return iterate(this)
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes it. With 'long_close' among its `caps` it may stay 'closing' until it is done; a second
   * call changes nothing. With `force` it is closed on return, in any state: that never fails.
   * Closed already: nothing happens. `Differs:` from other channels, where the argument is `flush`
   * and `close()` is immediate.
   */
  override close(force = false): void {
    checkBoolean('close: force', force)
    if (this.state === 'closed' || (this.state === 'closing' && !force)) return
    if (force) this.#isForced = true
    this[LIFE].beginClosing()
    // A callback may have closed it by force, or let it fail.
    if (this.state !== 'closing') return
    const isLong = !force && this.caps.has('long_close')
    try {
      this.do_close(force)
    } catch (error) {
      if (isLong) return this.fail(error)
      this[LIFE].log(error)
    }
    if (!isLong) this.finish_close()
  }

  /** `close()`: lets it finish. */
  override end(): void {
    this.close()
  }

  /** `close(true)`. */
  abort(): void {
    this.close(true)
  }

  /**
   * Closes it by force, for ever: the context forgets its name, its parent the child. Its callbacks
   * are told of the state 'destroy'.
   */
  destroy(): void {
    if (this.#isDestroyed) return
    this.close(true)
    this.#isDestroyed = true
    for (const child of [...this.children]) child.destroy()
    this.context.forget(this)
    this[LIFE].destroy()
  }

  // ---- what can be asked ------------------------------------------------------------------------

  /** What it has received and sent, with `stat=yes`; otherwise undefined. */
  get stat(): Stat | undefined {
    return this.#outlet.stat
  }

  /**
   * Why it failed, in this opening or, while it is closed, in the last one: what `on_error` gets.
   * Undefined when it has not.
   */
  get error(): Error | undefined {
    return this.#error
  }

  /** The channels below it. Live: do not change it. */
  get children(): ReadonlySet<MessageChannel> {
    return this[LIFE].children as ReadonlySet<MessageChannel>
  }

  /** A URL with which a peer reaches this channel; undefined where there is none, or not yet. */
  get client_url(): string | undefined {
    return undefined
  }

  /** Facts about it, by name: addresses, sequence numbers. */
  get info(): Readonly<Record<string, unknown>> {
    return {}
  }

  /**
   * Everything about it, to be shown: its state, the URL that made it, the parameters of its
   * opening, `info`, `client_url`.
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
      open: this.#opening,
      info: this.info,
      client: this.client_url,
    }
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called with every message of type 'data' that is received. A promise holds the next one.
   * Default: nothing.
   */
  on_message(_message: Message): void | Promise<void> {}

  /**
   * Called with every message of type 'control': what the channel says of its work (`Control`).
   * Default: nothing.
   */
  on_control(_message: Message): void | Promise<void> {}

  /**
   * As of every channel, but it does not close: only `close` leaves the state 'error', and what a
   * hook or callback threw does not end a channel.
   */
  override on_error(error: Error): void {
    this[LIFE].log(error)
  }

  // ---- for who writes a channel -----------------------------------------------------------------

  /**
   * Opens what is below. Returning 'opening': it is not ready, and calls `become_active` when it
   * is. Throwing: the channel fails. Default: ready at once.
   */
  do_open(_params: Params): void | 'opening' {}

  /**
   * Frees what `do_open` took. With 'long_close' and without `force` it calls `finish_close` when
   * it is done; it may be called once more, with `force`. Default: nothing.
   */
  do_close(_force: boolean): void {}

  /** Sends. Returning false: there is no room now. Throwing: the message cannot be sent. */
  do_post(_message: Message): void | boolean {
    throw new InvalidStateError(
      'post()',
      `${this.params.url.protocol}:// takes no messages`,
      'it only gives them',
    )
  }

  /** One piece of work. Returning false: there was nothing to do. Throwing: the channel fails. */
  do_process(): void | boolean {
    return false
  }

  /** It was suspended, or resumed: for who receives without being processed. Default: nothing. */
  do_suspend(): void {}
  do_resume(): void {}

  /** It is ready now. Does nothing unless it is opening. */
  become_active(): void {
    if (this.state !== 'opening') return
    this.#wasActive = true
    this[LIFE].open('open')
  }

  /**
   * It cannot go on: the state becomes 'error', and `on_error` is called. Does nothing when it is
   * closed, or has failed; while it is closed by force it is only logged.
   */
  fail(error: unknown): void {
    if (this.state === 'closed' || this.state === 'error') return
    const failure = error instanceof Error ? error : new Error(String(error))
    if (this.#isForced) return this[LIFE].log(failure)
    // Before the state changes: who is told of that may ask why.
    this.#error = failure
    this[LIFE].halt(failure)
  }

  /**
   * It has closed. Children that are open are closed by force. Does nothing unless it is closing.
   */
  finish_close(reason?: CloseReason): void {
    if (this.state !== 'closing') return
    this.update_dcaps(NO_DCAPS, OF_AN_OPENING)
    for (const child of this.children) child.close(true)
    if (this.state === 'closing') this[LIFE].finishClosing(reason)
  }

  /**
   * Hands a message to on_message or on_control, and to the callbacks. Returns a promise where one
   * of them did. In 'error' it is dropped.
   */
  emit(message: MessageFields | Data): Promise<void> | undefined {
    return this.state === 'error' ? undefined : this.#outlet.emit(toMessage(message))
  }

  /**
   * Adds to its `dcaps`, and takes from them. One that is 'pending' then is processed in the next
   * turn.
   */
  update_dcaps(added: readonly Dcap[], removed: readonly Dcap[] = NO_DCAPS): void {
    const dcaps = this.dcaps as Set<Dcap>
    if (added.some(each => !dcaps.has(each)) || removed.some(each => dcaps.has(each))) {
      const before = this.#outlet.callbacks.has('channel') ? new Set(dcaps) : undefined
      for (const each of added) dcaps.add(each)
      for (const each of removed) dcaps.delete(each)
      if (before !== undefined) this.#tell(ChannelEvent.Update, before)
    }
    if (added.includes('pending')) this.#goOn()
  }

  /**
   * Takes a channel below it: suspended and closed with it. Throws InvalidArgumentError for what is
   * none, InvalidStateError without 'parent' among its caps, and for one that has a parent already
   * or that this one is below.
   */
  add_child(child: MessageChannel): void {
    if (!(child instanceof MessageChannel))
      throw new InvalidArgumentError('add_child', 'a message channel', child)
    if (!this.caps.has('parent'))
      throw new InvalidStateError(
        'add_child()',
        "'parent' is not among its caps",
        'say so: static caps',
      )
    const parent = child[LIFE].parent
    if (parent !== undefined)
      throw new InvalidStateError(
        'add_child()',
        `${child.name} is a child of ${parent.name} already`,
        'add it once',
      )
    for (let above: Living | undefined = this; above !== undefined; above = above[LIFE].parent) {
      if (above === child)
        throw new InvalidStateError(
          'add_child()',
          `${this.name} is below ${child.name}`,
          'add another one',
        )
    }
    this[LIFE].addChild(child, 'apart')
    this.#tell(ChannelEvent.Add, child)
    child.callback_add(({ msgid }) => {
      if (STATES[msgid] === 'destroy') this.#tell(ChannelEvent.Delete, child)
    }, 'state')
  }

  /**
   * Makes a channel that belongs to this one, and takes it below: it is called `name/suffix`, and
   * the context does not know it.
   */
  make_child(url: string | Url, suffix: string): MessageChannel {
    const child = this.context.init(url, {
      name: `${this.name}/${suffix}`,
      engine: this.engine,
      is_internal: true,
      ...(this.master && { master: this.master }),
    })
    this.add_child(child)
    return child
  }

  // ---- what happens in between ------------------------------------------------------------------

  #stateChanged(state: StateSignal): void {
    if (this.#outlet.callbacks.has('state'))
      void this.#outlet.tell(new Message({ type: 'state', msgid: STATES.indexOf(state) }))
  }

  #tell(msgid: number, value: unknown): void {
    if (this.#outlet.callbacks.has('channel'))
      void this.#outlet.tell(new Message({ type: 'channel', msgid, value }))
  }

  #goOn(): void {
    if (this.dcaps.has('pending') && !this.#outlet.isHeld && !this.dcaps.has('suspend'))
      request(this.engine, this)
  }
}
