/**
 * Layer 8. `null://`: takes every message and gives none.
 */

import { MessageChannel } from '../message-channel.ts'

/** The channel of `null://`. */
// Source: TLL `null`.
export class Null extends MessageChannel {
  static override readonly protocol = 'null'
  static override readonly process_policy = 'never'

  override get client_url(): string | undefined {
    return this.state === 'active' ? 'null://' : undefined
  }

  override do_post(): void {}
}
