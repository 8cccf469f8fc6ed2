/**
 * Layer 8. Prefixes: `name+child://…` is a channel that stands before another one, and changes what
 * goes through.
 *
 * The child has the same URL without the prefix. Its life is the prefix's life: it is opened,
 * closed and suspended with it, and when it becomes active, fails or closes, so does the prefix.
 * What each hook below does by default is to pass on.
 *
 *     class Upper extends Prefix {
 *       static override readonly protocol = 'upper+'
 *       override child_data(message: Message) {
 *         return this.emit({ ...message, data: message.data.toString().toUpperCase() })
 *       }
 *     }
 *
 * Rules:
 * 1. A hook that throws is a failure of the prefix, not of the child; with data of one peer of a
 *    server, of that peer, which has to go.
 * 2. What happens to the child is told once, to on_error of the prefix: a program sees the same
 *    errors with the prefix and without.
 */

import { LIFE } from '../../channels/life.ts'
import { InvalidStateError } from '../../errors.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, type Message, STATES } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'

/** Parameters that the child does not inherit. */
export const OWN: readonly string[] = ['name', 'stat', 'dump', 'master']

/** Source: TLL `Prefix`; seed 001, "Closing". */
export abstract class Prefix extends MessageChannel {
  static override readonly caps = ['parent', 'proxy', 'long_close'] as const
  static override readonly process_policy = 'never'
  static override readonly post_policy = 'always'

  #child: MessageChannel | undefined
  /** Why the child failed last. */
  #failure: Error | undefined

  /**
   * Makes the child. Throws UrlError for what its URL says that cannot be. `later`: `attach` is
   * called when there is one.
   */
  constructor(init: Init, child: 'now' | 'later' = 'now') {
    super(init)
    const { url } = init.params
    const plus = url.protocol.indexOf('+')
    if (child === 'later') return
    const rest = url.with(
      url.protocol.slice(plus + 1),
      key => OWN.includes(key) || key.startsWith(`${url.protocol.slice(0, plus)}.`),
    )
    this.attach(this.make_child(rest, url.protocol.slice(0, plus)))
  }

  /** The channel below. Throws InvalidStateError before `attach`. */
  get child(): MessageChannel {
    if (this.#child === undefined)
      throw new InvalidStateError(
        'child',
        `${this.name} has nothing below it yet`,
        'wait for `opened`',
      )
    return this.#child
  }

  /** From now on that is the child; it is among the children already. */
  attach(child: MessageChannel): void {
    this.#child = child
    // One that looks after its errors itself goes on doing so. What made it fail comes with its
    // state.
    if (child.on_error === MessageChannel.prototype.on_error) {
      child.on_error = error => {
        if (error !== this.#failure) this[LIFE].hookFailed(error)
      }
    }
    child.callback_add(message => this.#pass(message), ['data', 'control', 'state'])
  }

  /**
   * That of the child: what a prefix does is its own affair. One that changes what is sent
   * overrides this.
   */
  override get client_url(): string | undefined {
    // The child's name is known to nobody; who looks for it looks through the prefix.
    return this.#child?.client_url?.replace(`master=${this.#child.name}`, `master=${this.name}`)
  }

  override get info(): Readonly<Record<string, unknown>> {
    return this.#child?.info ?? {}
  }

  #pass(message: Message): Promise<void> | undefined {
    try {
      switch (message.type) {
        case 'data':
          return this.child_data(message)
        case 'control':
          return this.child_control(message)
      }
      this.#passState(STATES[message.msgid])
    } catch (error) {
      if (message.type === 'data' && message.addr !== undefined) this.#dropPeer(message.addr, error)
      else this.fail(error)
    }
    return undefined
  }

  /** One of many has sent what cannot be: the others have no part in it. */
  #dropPeer(addr: Addr, error: unknown): void {
    this[LIFE].hookFailed(error)
    this.child.post({ type: 'control', msgid: Control.Disconnect, addr })
  }

  #passState(state: string | undefined): void {
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
   * The child has received data. Default: passes it on. Returns what `emit` returns, so that the
   * child waits for who is slow.
   */
  child_data(message: Message): Promise<void> | undefined {
    return this.emit(message)
  }

  /** The child says something of its work. Default: passes it on. */
  child_control(message: Message): Promise<void> | undefined {
    return this.emit(message)
  }

  /** The child is active. Default: so is the prefix. */
  child_active(): void {
    this.become_active()
  }

  /** The child has failed. Default: the prefix has, with the same error. */
  child_failed(error: Error): void {
    this.fail(error)
  }

  /** The child is closing. Default: the prefix closes. */
  child_closing(): void {
    if (this.state === 'opening' || this.state === 'active') this.close()
  }

  /** The child has closed. Default: the prefix has, for the same reason. */
  child_closed(): void {
    this.finish_close(this.child[LIFE].reason)
  }
}
