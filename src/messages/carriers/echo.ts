/**
 * Layer 8. `echo://`: gives back each message inside `post`.
 *
 * Opening and closing take one call of `process` each, as an example of a channel that is not ready
 * at once. With `null=yes` it is `null://`, as an example of an implementation that chooses
 * another.
 */

import type { Implementation, Init } from '../init.ts'
import type { Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { Null } from './null.ts'

/** The channel of `echo://`. */
// Source: TLL `echo`, a channel of its tests.
export class Echo extends MessageChannel {
  static override readonly protocol = 'echo'
  static override readonly caps = ['long_close'] as const

  static replace({ params }: Init): Implementation | undefined {
    return params.boolean('null', false) ? Null : undefined
  }

  override do_open(): 'opening' {
    this.update_dcaps(['pending'])
    return 'opening'
  }

  override do_close(force: boolean): void {
    if (!force) this.update_dcaps(['process', 'pending'])
  }

  override do_process(): void {
    this.update_dcaps([], ['pending'])
    if (this.state === 'opening') this.become_active()
    else this.finish_close()
  }

  override do_post(message: Message): void {
    this.emit(message)
  }
}
