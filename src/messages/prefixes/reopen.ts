/**
 * Layer 8. `reopen+child://`: opens its child again whenever the child closes or fails.
 *
 * It becomes active when the child is active for the first time, and stays active until it is
 * closed itself. Control Disconnect reports that the child has gone, control Connect that it is
 * back. In the meantime `post` returns false, and WriteReady follows Connect: for whoever was
 * refused, or was told WriteFull by a child that has gone. on_error is called with each failure of
 * the child.
 *
 * | parameter | meaning |
 * |---|---|
 * | `timeout-min=1s` | the first wait is at most this; it doubles with each attempt that fails |
 * | `timeout-max=30s` | a wait is at most this |
 * | `active-min=1s` | a child that was active this long has lasted: the waits begin again |
 * | `timeout-open=300s` | an opening that takes longer is given up |
 *
 * Each wait is a random part of its bound (core/backoff.ts), so that the clients of a server that
 * was away do not come back at the same moment.
 */

import { LIFE } from '../../channels/life.ts'
import { Backoff } from '../../core/backoff.ts'
import { noop } from '../../core/noop.ts'
import { DRIVE } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import type { Params } from '../params.ts'
import { Fullness } from './fullness.ts'
import { Prefix } from './prefix.ts'

/** The prefix `reopen+`. */
// Source: TLL `reopen`.
export class Reopen extends Prefix {
  static override readonly protocol = 'reopen+'

  readonly #backoff: Backoff
  readonly #patience: Milliseconds
  #parameters: Readonly<Record<string, string>> = {}
  #wasActive = false
  #cancel: Cancel = noop
  #isLast = false
  readonly #full = new Fullness<'down' | 'child'>(msgid =>
    this.emit(new Message({ type: 'control', msgid })),
  )

  constructor(init: Init) {
    super(init)
    const { params } = init
    const first = params.duration('timeout-min', 1000)
    const longest = params.duration('timeout-max', 30_000)
    const lasting = params.duration('active-min', 1000)
    this.#patience = params.duration('timeout-open', 300_000)
    if (!(first > 0)) throw params.fault('timeout-min', 'longer than 0')
    if (longest < first) throw params.fault('timeout-max', 'at least timeout-min')
    if (!(this.#patience > 0)) throw params.fault('timeout-open', 'longer than 0')
    this.#backoff = new Backoff({ first, longest, lasting })
  }

  override do_open(params: Params): 'opening' {
    this.#parameters = params.values
    this.#backoff.reset()
    this.#wasActive = false
    this.#full.clear()
    this.#isLast = false
    this.#try()
    return 'opening'
  }

  override do_close(force: boolean): void {
    this.#cancel()
    super.do_close(force)
  }

  override do_post(message: Message): boolean {
    if (this.child.state === 'active') return super.do_post(message)
    if (message.type === 'data' && this.state !== 'closing') this.#full.add('down')
    return false
  }

  /** What has an `addr` is about one peer of a server, and passes. */
  override child_control(message: Message): Promise<void> | undefined {
    const { msgid, addr } = message
    if (addr === undefined && msgid === Control.WriteFull) this.#full.add('child')
    else if (addr === undefined && msgid === Control.WriteReady) this.#full.delete('child')
    else return super.child_control(message)
    return undefined
  }

  #try(): void {
    this.#cancel = this.engine[DRIVE].after(this.#patience, () => this.child.close(true))
    this.child.open(this.#parameters)
  }

  override child_active(): void {
    this.#cancel()
    this.#wasActive = true
    this.#backoff.opened(this.engine.now)
    if (this.state === 'opening') this.become_active()
    else this.emit(new Message({ type: 'control', msgid: Control.Connect }))
    this.#full.delete('down')
  }

  /**
   * Reports the child's error; reopen+ itself has not failed. Closing the child leads to
   * child_closed.
   */
  override child_failed(error: Error): void {
    this[LIFE].report(error)
    this.child.close(true)
  }

  /** When the child has closed, it is not opened again: there is nothing more to be said. */
  override half_close(): boolean {
    this.#isLast = super.half_close()
    if (this.#isLast && this.child.state !== 'active') this.close()
    return this.#isLast
  }

  override child_closing(): void {}

  override child_closed(): void {
    this.#cancel()
    if (this.state === 'closing') return this.finish_close()
    if (this.#isLast) return this.close()
    // Nobody else will say that there is room again.
    if (this.#full.has('child')) this.#full.add('down')
    this.#full.delete('child')
    const wasActive = this.#wasActive
    this.#wasActive = false
    const wait = this.#backoff.next(this.engine.now)
    this.#cancel = this.engine.defer(wait, () => this.#try())
    if (wasActive) this.emit(new Message({ type: 'control', msgid: Control.Disconnect }))
  }
}
