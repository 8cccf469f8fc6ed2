/**
 * Layer 8. Prefix: `name+child://…` is a channel before another one, its child. It may change what
 * passes.
 *
 * The child has the same URL without the prefix. It is opened, closed and suspended with the
 * prefix. When it becomes active, fails or closes, so does the prefix. By default each method below
 * passes on what it gets.
 *
 *     class Upper extends Prefix {
 *       static override readonly protocol = 'upper+'
 *       override child_data(message: Message) {
 *         return this.emit({ ...message, data: message.data.toString().toUpperCase() })
 *       }
 *     }
 *
 * Rules:
 * 1. If one of these methods throws, the prefix fails, not the child. There is one exception: if it
 *    throws with data of one peer of a server, that peer is disconnected.
 * 2. An error of the child is reported once, to on_error of the prefix: a program sees the same
 *    errors with the prefix and without. A child with its own on_error keeps it.
 */

import { LIFE } from '../../channels/life.ts'
import { InvalidStateError } from '../../errors.ts'
import { CARRIES_ALL, type Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, type Message, STATES } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { MESSAGE_LIFE } from '../message-life.ts'
import type { Params } from '../params.ts'

/** The parameters that the child does not get. */
export const OWN: readonly string[] = ['name', 'stat', 'dump', 'master']

/**
 * The base of a program's own prefixes: a subclass with a `protocol`, which overrides `do_post` to
 * change what is sent, and `child_data` to change what is received.
 */
// Source: TLL `Prefix`.
export abstract class Prefix extends MessageChannel {
  static override readonly caps = ['parent', 'proxy', 'long_close'] as const
  static override readonly process_policy = 'never'
  static override readonly post_policy = 'always'

  #child: MessageChannel | undefined
  /** The last failure of the child. */
  #failure: Error | undefined

  /**
   * Makes the child. With 'later' it does not: `attach` must then be called when there is one.
   * Throws UrlError if the URL of the child is invalid.
   */
  constructor(init: Init, child: 'now' | 'later' = 'now') {
    super(init)
    if (child === 'later') return
    const { url } = init.params
    const plus = url.protocol.indexOf('+')
    const name = url.protocol.slice(0, plus)
    const isOwn = (key: string): boolean => OWN.includes(key) || key.startsWith(`${name}.`)
    this.attach(this.make_child(url.with(url.protocol.slice(plus + 1), isOwn), name))
  }

  /** The channel below this one. Throws InvalidStateError before `attach`. */
  get child(): MessageChannel {
    if (this.#child === undefined)
      throw new InvalidStateError(
        'child',
        `${this.name} has nothing below it yet`,
        'wait for `opened`',
      )
    return this.#child
  }

  /** Sets the child. It must be among the children already. */
  attach(child: MessageChannel): void {
    this.#child = child
    if (child.on_error === MessageChannel.prototype.on_error) {
      child[MESSAGE_LIFE].errorsTo = error => {
        // The error that it failed with is reported with its state.
        if (error !== this.#failure) this[LIFE].report(error)
      }
    }
    child.callback_add(this.#data, 'data')
    child.callback_add(message => this.#pass(message), ['control', 'state'])
  }

  /** That of the child. A prefix that the peer needs too overrides this. */
  override get client_url(): string | undefined {
    // The context does not know the child's name. A peer finds the child through the prefix.
    return this.#child?.client_url?.replace(`master=${this.#child.name}`, `master=${this.name}`)
  }

  /** That of the child. */
  override half_close(): boolean {
    return this.child.half_close()
  }

  /** That of the child. */
  override get carries(): Carries {
    return this.#child?.carries ?? CARRIES_ALL
  }

  /** That of the child. */
  override get info(): Readonly<Record<string, unknown>> {
    return this.#child?.info ?? {}
  }

  /** The channel below all prefixes. */
  get carrier(): MessageChannel {
    const { child } = this
    return child instanceof Prefix && child.#child !== undefined ? child.carrier : child
  }

  readonly #data = (message: Message): Promise<void> | undefined => {
    try {
      return this.child_data(message)
    } catch (error) {
      if (message.addr !== undefined) this.#dropPeer(message.addr, error)
      else this.fail(error)
      return undefined
    }
  }

  #pass(message: Message): Promise<void> | void {
    try {
      return message.type === 'control'
        ? this.child_control(message)
        : this.#passState(STATES[message.msgid])
    } catch (error) {
      this.fail(error)
    }
  }

  /** The data of one peer was invalid. The other peers are not affected. */
  #dropPeer(addr: Addr, error: unknown): void {
    this[LIFE].hookFailed(error)
    this.child.post({ type: 'control', msgid: Control.Disconnect, addr })
  }

  #passState(state: string | undefined): void | Promise<void> {
    switch (state) {
      case 'active':
        return this.child_active()
      case 'error':
        this.#failure = this.child.error as Error
        return this.child_failed(this.#failure)
      case 'closing':
        return this.child_closing()
      case 'closed':
        return this.child_closed()
    }
  }

  override do_open(params: Params): 'opening' {
    this.child.open(params.values)
    return 'opening'
  }

  override do_close(force: boolean): void {
    this.#child?.close(force)
    if (!force && (this.#child === undefined || this.#child.state === 'closed')) this.finish_close()
  }

  override do_post(message: Message): boolean {
    return this.child.post(message)
  }

  /**
   * Called when the child has received data. It must return what `emit` returns, so that the child
   * waits if a hook or callback does. Default: emits the message.
   */
  child_data(message: Message): Promise<void> | undefined {
    return this.emit(message)
  }

  /** Called with each control message of the child. Default: emits the message. */
  child_control(message: Message): Promise<void> | undefined {
    return this.emit(message)
  }

  /** Called when the child has become active. Default: the prefix becomes active. */
  child_active(): void | Promise<void> {
    this.become_active()
  }

  /** Called when the child has failed. Default: the prefix fails with the same error. */
  child_failed(error: Error): void | Promise<void> {
    this.fail(error)
  }

  /** Called when the child is closing. Default: the prefix closes, if it is open. */
  child_closing(): void | Promise<void> {
    if (this.state === 'opening' || this.state === 'active') this.close()
  }

  /** Called when the child has closed. Default: the prefix has closed, for the same reason. */
  child_closed(): void | Promise<void> {
    this.finish_close(this.child[LIFE].reason)
  }
}
