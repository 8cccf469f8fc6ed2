/**
 * Layer 5. Timeouts: those of one open connection: read_timeout, write_timeout, idle_timeout,
 * max_lifetime.
 *
 * Nothing is done when bytes come or go. LOOKS times within each timeout the byte counters are
 * compared with what they were at the last look. So a timeout never comes too early, and it comes
 * at most a sixth of its length too late. A connection makes its Timeouts when there is something
 * to watch over. It has none if no timeout is set, or if only write_timeout is set and the peer
 * takes what is sent.
 *
 * Rules:
 * 1. A timeout is put off only by what it waits for. Our own writes do not put off a read timeout
 *    (Node's they do), writing more does not put off a write timeout, and data that does not leave
 *    does not put off an idle timeout.
 * 2. If we do not listen, the peer is not silent: no read timeout runs while reads are held, or
 *    after the peer has ended.
 * 3. If on_timeout lets a timeout pass, it starts again; max_lifetime does, too.
 */

import type { Drive } from '../core/drive.ts'
import type { Deadline } from '../core/time/deadlines.ts'
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
  /** What the peer's side has taken, in any unit: only changes count. */
  readonly bytes_gone: Bytes
  /** Are reads held, or has the peer ended? Then no read timeout runs. */
  readonly isDeaf: boolean
  /** Does something wait until the peer has taken more? */
  readonly isBlocked: boolean
  timedOut(kind: TimeoutKind): void
}

/** If several are due at the same moment, they are told in this order. */
const SETTINGS = {
  lifetime: 'max_lifetime',
  read: 'read_timeout',
  write: 'write_timeout',
  idle: 'idle_timeout',
} as const

const KINDS = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]

/** How often a timeout that can be put off is looked at within its length. */
const LOOKS = 8

export class Timeouts implements Deadline {
  bucket: Deadline['bucket']
  readonly #owner: TimeoutsOwner
  readonly #drive: Drive
  /** When each of them began to run; Infinity: it does not run. */
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

  /** Call this when a setting has changed: something else may be due next. */
  changed(): void {
    const { now } = this.#drive
    this.#observe(now)
    this.#drive.watch(this, this.#next(now))
  }

  /** Call this when the peer has not taken everything. */
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

/** If the hook closes the channel, this is the reason. If it does not, the channel goes on. */
export function timeOut(life: Life, kind: TimeoutKind): void {
  life.drive.note('timeout', life.channel, { kind })
  life.callBlaming('timeout', 'on_timeout', kind)
}

/**
 * What each timeout leads to, unless on_timeout is overridden: the setting that it comes from, the
 * text of the error, and the hook that gets the error.
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
 * What `on_timeout` does by default: it reports one error to one hook, and closes the channel
 * whatever that hook does. `doing`: the activity that timed out, for the message; empty if it was
 * only waiting.
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
