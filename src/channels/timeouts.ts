/**
 * Layer 5. Timeouts: those of one open connection: read_timeout, write_timeout, idle_timeout,
 * max_lifetime.
 *
 * Nothing is done when bytes come or go. Some times in each timeout (`LOOKS`) the byte counters are
 * compared with what they were at the last look; so a timeout comes never too early, and at most a
 * sixth of it late. A connection makes its Timeouts when there is something to watch over: one that
 * has no timeout, or only a write_timeout and a peer that takes what is sent, has none.
 *
 * Rules:
 * 1. No timeout is put off by anything but what it waits for: a read timeout not by our own writes
 *    (as Node's is), a write timeout not by writing more, an idle timeout not by data that does not
 *    leave.
 * 2. A silence of our own making is not the peer's: while reads are held, or after the peer has
 *    ended, no read timeout runs.
 * 3. Each timeout that on_timeout lets pass begins anew, max_lifetime too.
 */

import type { Deadline } from '../core/time/deadlines.ts'
import type { Drive } from '../core/drive.ts'
import { ConnectError, TimeoutError } from '../errors.ts'
import type { Bytes, Milliseconds, TimeoutKind } from '../types.ts'
import type { Hook } from './hooks.ts'
import type { Life } from './life.ts'

/** The settings that are timeouts of an open connection. */
interface TimeoutValues {
  readonly read_timeout: Milliseconds
  readonly write_timeout: Milliseconds
  readonly idle_timeout: Milliseconds
  readonly max_lifetime: Milliseconds
}

/** What is watched over. */
export interface TimeoutsOwner {
  readonly values: TimeoutValues
  readonly bytes_read: Bytes
  /** What the peer's side has taken, in whatever unit. */
  readonly bytes_gone: Bytes
  /** Are reads held, or has the peer ended? Then it is not silent. */
  readonly isDeaf: boolean
  /** Does something wait that the peer has to take first? */
  readonly isBlocked: boolean
  timedOut(kind: TimeoutKind): void
}

/** In this order, where several are due in one moment. */
const SETTINGS = {
  lifetime: 'max_lifetime',
  read: 'read_timeout',
  write: 'write_timeout',
  idle: 'idle_timeout',
} as const

const KINDS = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]

/** How often in its time a timeout that can be put off is looked at. */
const LOOKS = 8

export class Timeouts implements Deadline {
  bucket: Deadline['bucket']
  readonly #owner: TimeoutsOwner
  readonly #drive: Drive
  /** Since when each of them runs; Infinity: it does not. */
  readonly #since: Record<keyof typeof SETTINGS, Milliseconds>
  // What was seen at the last look.
  #bytesRead: Bytes
  #bytesGone: Bytes
  #wasDeaf = false
  #isStopped = false

  constructor(owner: TimeoutsOwner, drive: Drive, openedAt: Milliseconds) {
    const { now } = drive
    this.#owner = owner
    this.#drive = drive
    this.#bytesRead = owner.bytes_read
    this.#bytesGone = owner.bytes_gone
    this.#since = { lifetime: openedAt, read: now, write: Infinity, idle: now }
  }

  /** Does any of them run all the time? */
  static areAny({ read_timeout, idle_timeout, max_lifetime }: TimeoutValues): boolean {
    return Math.min(read_timeout, idle_timeout, max_lifetime) !== Infinity
  }

  /**
   * Something else may be due now than was at the last look: a setting has changed, for example.
   */
  changed(): void {
    const { now } = this.#drive
    this.#observe(now)
    this.#drive.watch(this, this.#next(now))
  }

  /** The peer has not taken everything. */
  blocked(): void {
    if (this.#since.write === Infinity) this.changed()
  }

  stop(): void {
    this.#isStopped = true
    this.#drive.watch(this, Infinity)
  }

  look(now: Milliseconds): Milliseconds {
    this.#observe(now)
    for (const kind of KINDS) {
      if (this.#since[kind] + this.#owner.values[SETTINGS[kind]] > now) continue
      this.#since[kind] = now
      this.#owner.timedOut(kind)
      if (this.#isStopped) return Infinity
    }
    return this.#next(now)
  }

  #observe(now: Milliseconds): void {
    const { bytes_read, bytes_gone, isDeaf, isBlocked } = this.#owner
    const hasRead = bytes_read !== this.#bytesRead
    const hasWritten = bytes_gone !== this.#bytesGone
    const since = this.#since
    if (hasRead || isDeaf || this.#wasDeaf) since.read = now
    if (hasRead || hasWritten) since.idle = now
    if (!isBlocked) since.write = Infinity
    else if (hasWritten || since.write === Infinity) since.write = now
    this.#bytesRead = bytes_read
    this.#bytesGone = bytes_gone
    this.#wasDeaf = isDeaf
  }

  #next(now: Milliseconds): Milliseconds {
    let next = Infinity
    for (const kind of KINDS) {
      const timeout = this.#owner.values[SETTINGS[kind]]
      const end = this.#since[kind] + timeout
      if (end === Infinity) continue
      next = Math.min(next, end, kind === 'lifetime' ? end : now + timeout / LOOKS)
    }
    return next
  }
}

// ---- what happens then --------------------------------------------------------------------------

/**
 * Whatever the hook closes it closes for this reason. Open and not closed by the hook, the channel
 * goes on.
 */
export function timeOut(life: Life, kind: TimeoutKind): void {
  life.drive.note('timeout', life.channel, { kind })
  life.callBlaming('timeout', 'on_timeout', kind)
}

/**
 * What each timeout leads to unless on_timeout is overridden: which setting it was, what to say,
 * and whom.
 */
const OUTCOMES: Readonly<
  Record<TimeoutKind, readonly [setting: string, what: string, hook: Hook]>
> = {
  connect: ['connect_timeout', 'took', 'on_connect_error'],
  handshake: ['handshake_timeout', 'the TLS handshake took', 'on_tls_handshake_error'],
  read: ['read_timeout', 'nothing was received for', 'on_error'],
  write: ['write_timeout', 'the peer took nothing of what was sent for', 'on_error'],
  idle: ['idle_timeout', 'nothing was received or sent for', 'on_error'],
  lifetime: ['max_lifetime', 'it was open for', 'on_error'],
}

/**
 * What `on_timeout` does by default: one error to one hook, and the channel closes whatever that
 * does. `doing`: what took so long, where that is more than waiting.
 */
export function giveUp(life: Life, kind: TimeoutKind, values: object, doing = ''): void {
  const [setting, what, hook] = OUTCOMES[kind]
  const after = (values as Record<string, Milliseconds>)[setting] as Milliseconds
  const error = new TimeoutError(kind, setting, after, `${doing}${what} longer than`)
  life.fail(
    hook,
    kind === 'connect' ? new ConnectError(error.code, error.message, error) : error,
    'timeout',
  )
}
