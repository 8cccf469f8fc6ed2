/**
 * Layer 9. A client of Redis for scripts that may run twice: one is sent again until it has an
 * answer, also when the server was away meanwhile.
 */

import type { Engine } from '../../../engine.ts'
import { RedisClient } from '../../../protocols/redis/client.ts'
import { isLoss, RedisError } from '../../../protocols/redis/errors.ts'
import type { NestedRedisOptions } from '../../../protocols/redis/target.ts'
import type { Milliseconds } from '../../../types.ts'

/** Jobs wait meanwhile: shorter than the 30 s that are usual. */
const RECONNECT = { first: 250, longest: 5000 }

/** The client. */
export class LastingClient extends RedisClient {
  /** Called each time when it is connected. */
  told: () => void = () => {}
  readonly #engine: Engine

  constructor(engine: Engine, options: NestedRedisOptions = {}) {
    const { reconnect = RECONNECT } = options
    super({ ...options, reconnect, engine, waiting: 'all' })
    this.#engine = engine
  }

  override on_connect(): void {
    this.told()
  }

  /**
   * Runs a script until it has an answer. Rejects with a RedisError: ERR_TIMEOUT when the time is
   * over, ERR_CLOSED when the client was closed, and what the server says.
   */
  async run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    longest: Milliseconds = Infinity,
  ): Promise<any> {
    const end = this.#engine.now + longest
    for (;;) {
      const timeout = Math.ceil(end - this.#engine.now)
      if (timeout <= 0) throw new RedisError('ERR_TIMEOUT', `no reply within ${longest} ms`)
      try {
        return await this.with({ timeout }).eval(script, keys, args)
      } catch (error) {
        if (!isLoss(error) || !this.isOpen) throw error
      }
    }
  }

  /** Is it open, though maybe not connected? */
  get isOpen(): boolean {
    return this.state === 'active' || this.state === 'opening'
  }
}
