/**
 * Layer 7. NatsHooks: the hooks of a NatsClient, and what each does by default.
 */

import { Channel } from '../../channels/channel.ts'
import { LIFE } from '../../channels/life.ts'
import { NatsError } from './errors.ts'
import type { NatsSubscription } from './subscription.ts'

export abstract class NatsHooks extends Channel {
  /**
   * Called with each new connection, when it can be used. Subscriptions are restored by then.
   *
   * By default it does nothing.
   */
  on_connect(): any {}

  /**
   * Called when the first connection could not be made, by any of the servers, with the error of
   * the last. Then the client closes.
   *
   * By default it calls `on_error`.
   */
  on_connect_error(error: Error): any {
    return this.on_error(error)
  }

  /**
   * Called when the connection is lost, and with each attempt to connect again that fails. The next
   * attempt comes by itself.
   *
   * By default it logs one line.
   */
  on_disconnect(error: Error): any {
    this[LIFE].log(error)
  }

  /**
   * Called when the server says that it stops soon. If there is another server, the client moves to
   * it; what was sent to it before is delivered first.
   *
   * By default it does nothing.
   */
  on_lame_duck(): any {}

  /**
   * Called when a subscription begins to drop messages, because its handler or its loop is too
   * slow. `subscription.dropped` counts them.
   *
   * By default it calls `on_error` (ERR_NATS_SLOW).
   */
  on_slow(subscription: NatsSubscription): any {
    const { subject } = subscription
    const what = `the subscription to ${subject} drops messages: pending_size bytes wait`
    return this.on_error(new NatsError('ERR_NATS_SLOW', what))
  }

  /**
   * Called with what the server refuses, with what was dropped, with what a handler or a hook
   * threw, and with why the client fails. Only after the last of these it closes.
   *
   * By default it logs one line.
   */
  override on_error(error: Error): any {
    this[LIFE].log(error)
  }
}
