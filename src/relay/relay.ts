/**
 * Layer 8. Relay: the one seam for more than one process. Rooms, packets and envelopes know this
 * file only; memory-relay.ts is the default, the others speak to a real server.
 *
 * A topic is any text. Each topic has up to three things, which know nothing of each other:
 *
 * | | says it | hears it | lost |
 * |---|---|---|---|
 * | messages | `publish` | `subscribe` | if the subscriber is not connected at that moment |
 * | history | `append` | `subscribe`, and `read_after` at any time | when it is trimmed |
 * | members | `present`, `absent` | `watch` | when the process ends: after its lease |
 *
 * What every relay promises; one suite of tests holds all of them to it:
 * 1. What one relay publishes and appends on one topic arrives in this order, each at most once.
 * 2. A relay hears itself: its own subscribers are among those who get it. Nothing is delivered
 *    inside the call that sends it.
 * 3. `append` resolves when the server has it. Its seq is one more than that of the one before on
 *    its topic, from any process. Subscribers get what was appended in the order of seq.
 * 4. The first seq of a topic is high (`firstSeq`), and if the server has lost a topic, the next
 *    one is higher. So an old seq never names a new entry.
 * 5. If `append` is rejected because the connection was lost, the entry may have been stored. It
 *    is never stored twice.
 * 6. When a subscription was interrupted and stands again, `on_gap` is called before the first
 *    message after the gap. What was published in between is gone; what was appended is in
 *    `read_after`.
 *
 * So a member loses nothing that history holds: it subscribes, keeps what comes, reads after the
 * last seq that it has seen up to `last`, and then drops what has a seq that it has read.
 */

import type { Engine } from '../engine.ts'
import { ChannelError } from '../errors.ts'
import type { Data, Milliseconds } from '../types.ts'

/**
 * Gets what was published or appended on its topic. `seq` is undefined for what was published. It
 * may call anything of the relay. If it throws, the error goes to `engine.log`, and other listeners
 * are called all the same.
 */
export type RelayListener = (bytes: Buffer, seq: number | undefined) => void

/**
 * Gets those who came and those who went since its last call. Its first call has all who are
 * present.
 */
export type PresenceListener = (came: readonly string[], went: readonly string[]) => void

/** Options of `subscribe`. */
export interface SubscribeOptions {
  /** Called when the subscription was interrupted and stands again. */
  readonly on_gap?: (() => void) | undefined
}

/** One entry of a topic's history. */
export interface RelayEntry {
  /** Its number: one more than that of the entry before it on its topic. */
  readonly seq: number
  /** What was appended. */
  readonly bytes: Buffer
}

/** What `read_after` found. */
export interface RelayHistory {
  /** In order of seq, without a hole. */
  readonly entries: readonly RelayEntry[]
  /** The lowest seq that the topic still holds. If it holds none: one more than `last`. */
  readonly first: number
  /** The highest seq that the topic ever had. 0 if nothing was appended, or all was lost. */
  readonly last: number
}

/** Options of every relay. */
export interface RelayOptions {
  /** The engine of its timers and connections. @default Engine.instance() */
  readonly engine?: Engine | undefined
  /** How many of its last entries a topic holds, at least. @default 1000 */
  readonly history?: number | undefined
  /** An entry older than this may be trimmed. @default 3 600 000 ms: one hour */
  readonly history_age?: Milliseconds | undefined
  /** Members of a process that has ended are gone after this. @default 15 000 ms */
  readonly lease?: Milliseconds | undefined
  /**
   * What everything on the server begins with: keys, channels, subjects, streams. Relays with
   * different prefixes share nothing, so several programs may use one server. A word of letters,
   * digits, `_` and `-`, of up to 64 characters.
   *
   * @default 'sluice'
   */
  readonly prefix?: string | undefined
}

/** The connection of one process to all others. */
export interface Relay {
  /**
   * Resolves when the relay can be used. Rejects with a RelayError if it never can: a wrong
   * password, or `close` before. Meanwhile all calls wait, except `publish`.
   */
  readonly opened: Promise<void>

  /**
   * Sends to all who are subscribed at this moment. Returns false if the server is away, or if more
   * than 16 MiB wait for it: then the message is dropped. Text is sent as UTF-8. Throws
   * InvalidArgumentError, and RelayError (ERR_RELAY_REFUSED) for what the server is known not to
   * take: NATS has a longest message; and nothing is taken if it has refused the login.
   */
  publish(topic: string, data: Data): boolean

  /** Stores and sends. Resolves to its seq. */
  append(topic: string, data: Data): Promise<number>

  /**
   * Resolves when the subscription stands: what is published from then on arrives. A listener that
   * is subscribed already stays so, once.
   */
  subscribe(topic: string, listener: RelayListener, options?: SubscribeOptions): Promise<void>

  /** The listener is not called again. */
  unsubscribe(topic: string, listener: RelayListener): void

  /**
   * The entries after `seq`, at most `limit` of them (default 1000). What is lost for good is
   * `seq + 1` to `first - 1`, if that is any.
   */
  read_after(topic: string, seq: number, limit?: number): Promise<RelayHistory>

  /** The member is present on the topic until `absent`, `close`, or the end of this process. */
  present(topic: string, member: string): Promise<void>

  /** The member is no longer present because of this relay. */
  absent(topic: string, member: string): Promise<void>

  /** Resolves after the first call of the listener. */
  watch(topic: string, listener: PresenceListener): Promise<void>

  /** The listener is not called again. */
  unwatch(topic: string, listener: PresenceListener): void

  /**
   * Its members are absent, its subscriptions end, no listener is called any more. Resolves when
   * all that was sent has left. May be called twice. Afterwards `publish` returns false, and other
   * calls are rejected with ERR_RELAY_CLOSED.
   */
  close(): Promise<void>
}

/**
 * An error of a relay. Codes: ERR_RELAY_CLOSED; ERR_RELAY_UNAVAILABLE if the server is away, has
 * gone in the middle, or if too much waits for it; ERR_RELAY_REFUSED if it does not do what was
 * asked, or has refused the login, with its error as `cause`.
 */
export class RelayError extends ChannelError {}

/** The error of a call after `close`. `cause`: why it has closed by itself. */
export function closedError(cause?: Error): RelayError {
  const why = cause === undefined ? '' : `: ${cause.message}`
  return new RelayError('ERR_RELAY_CLOSED', `the relay is closed${why}`, cause)
}

/** Did the server refuse something? */
export function isRefused(error: unknown): error is RelayError {
  return error instanceof RelayError && error.code === 'ERR_RELAY_REFUSED'
}

/**
 * The first seq of a topic: a thousand for each millisecond since 1970. No topic has that many
 * entries, so a topic that was lost and begins again is always ahead of its earlier life.
 */
export function firstSeq(): number {
  return Date.now() * 1000
}
