/**
 * Layer 7. Keeper: keeps a session open. When its connection is lost it makes another one, later
 * and later, until it is closed itself.
 *
 * In the order of a life: open → opened → lost → (a wait) → opened … → close → lost, a last time.
 */

import { Backoff } from '../../core/backoff.ts'
import { DRIVE } from '../../core/drive.ts'
import { Pause } from '../../core/time/pause.ts'
import type { CloseReason } from '../../types.ts'
import type { Command } from './command.ts'
import { RedisError } from './errors.ts'
import { isRefusal, RedisSession, type SessionOwner } from './redis-session.ts'
import type { Push } from './reply.ts'
import type { Target } from './target.ts'

/** Who it keeps a session for. */
export interface KeeperOwner {
  /** There is a session. */
  opened(session: RedisSession): void
  /** The server has said something by itself. A promise holds what comes next. */
  pushed(push: Push): unknown
  /** There is none. `sent`: what has no reply. `isOver`: there will be no other. */
  lost(error: RedisError, sent: readonly Command[], isOver: boolean, reason: CloseReason): void
}

export class Keeper implements SessionOwner {
  readonly #target: Target
  readonly #owner: KeeperOwner
  readonly #isSubscriber: boolean
  readonly #backoff: Backoff
  #session: RedisSession | undefined
  #pause: Pause | undefined
  #wasOpen = false
  #isClosing = false

  /** The session, if it is logged in. */
  ready: RedisSession | undefined

  constructor(target: Target, owner: KeeperOwner, isSubscriber = false) {
    this.#target = target
    this.#owner = owner
    this.#isSubscriber = isSubscriber
    this.#backoff = new Backoff(target.reconnect || {})
  }

  open(): void {
    this.#pause = undefined
    this.#session = new RedisSession(this.#target, this, this.#isSubscriber)
    this.#session.begin()
  }

  opened(session: RedisSession): void {
    this.#wasOpen = true
    this.#backoff.opened(this.#target.engine.now)
    this.ready = session
    this.#owner.opened(session)
  }

  pushed(push: Push): unknown {
    return this.#owner.pushed(push)
  }

  lost(_: RedisSession, error: RedisError, sent: readonly Command[], reason: CloseReason): void {
    const { engine, reconnect } = this.#target
    this.ready = this.#session = undefined
    // What the server refused at first it would refuse again. Later it may have been set up anew.
    const isRefused = !this.#wasOpen && isRefusal(error)
    const isStopping = reason === 'drain' || engine[DRIVE].isStopping
    const isOver = this.#isClosing || reconnect === false || isStopping || isRefused
    if (!isOver) {
      const wait = this.#backoff.next(engine.now)
      this.#pause = new Pause(
        engine[DRIVE],
        wait,
        () => this.open(),
        () => this.#stopped(),
      )
    }
    this.#owner.lost(error, sent, isOver, reason)
  }

  #stopped(): void {
    this.#isClosing = true
    this.#owner.lost(new RedisError('ERR_CLOSED', 'the engine stops'), [], true, 'drain')
  }

  /** Closes it, for good; with `flush` when all replies have come. Resolves when that is done. */
  async close(flush: boolean): Promise<void> {
    this.#isClosing = true
    this.#pause?.cancel()
    this.#session?.close(flush)
    await this.#session?.closed
  }
}
