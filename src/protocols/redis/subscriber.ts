/**
 * Layer 7. Subscriber: channels, patterns and shard channels, and who gets their messages. It has a
 * connection of its own.
 *
 * (With RESP3 commands and messages could share one. But a subscriber that reads too slowly is cut
 * off by the server, and would take the commands with it; and messages would delay replies.)
 *
 * In the order of a life: add → opened → pushed … → remove. After a loss everything is subscribed
 * again in `opened`.
 *
 * Rules:
 * 1. A name is subscribed once, however many handlers it has. Redis would confirm it twice.
 * 2. Each name is a command of its own. If a user may not have one of several, Redis refuses all
 *    with a single error.
 * 3. A handler that returns a promise holds all messages that follow. What a handler throws is told
 *    to `on_error` of the client, and the other handlers get their message.
 * 4. It does not hold confirmations: a handler may await that it has subscribed to something. So
 *    while one is to come, reading goes on, and messages wait here.
 */

import { Buffer } from 'node:buffer'
import { Callees } from '../../core/callees.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { isPromiseLike, quiet } from '../../core/promises.ts'
import { Command } from './command.ts'
import type { RedisError } from './errors.ts'
import { Held } from './held.ts'
import { Keeper, type KeeperOwner } from './keeper.ts'
import type { RedisSession } from './redis-session.ts'
import type { Push, Reply } from './reply.ts'
import type { Target } from './target.ts'

/** How a message came to be subscribed, as the start of the command and of its messages. */
export type SubscriptionKind = '' | 'p' | 's'

/**
 * Gets a message, the channel that it was published to, and the pattern, if that is what was
 * subscribed. If it returns a promise, further messages wait until that settles.
 */
export type MessageHandler<Text = any> = (
  message: Text,
  channel: string,
  pattern?: string,
) => unknown

/** Options of `subscribe`. */
export interface SubscribeOptions {
  /**
   * Called when the subscription was interrupted and stands again, before the first message that
   * follows. What was published in between is lost.
   */
  readonly on_gap?: (() => unknown) | undefined
}

/** What is told to the client. */
export interface SubscriberOwner {
  /** What a handler threw, or a subscription that was refused after it had stood. */
  failed(error: unknown): void
  /** The connection for messages was lost. `isOver`: with everything that was subscribed. */
  subscriberLost(error: RedisError, isOver: boolean): void
}

/** One name that is subscribed. */
interface Topic {
  readonly handlers: Callees<MessageHandler, Manner>
  /** Settled when the server has confirmed it; after a loss there is a new one. */
  confirmed: Deferred<void>
  /** 'asked' at first, 'standing' when it is confirmed, 'lost' until it is confirmed again. */
  state: 'asked' | 'standing' | 'lost'
}

/** How a handler is called: with text or with bytes. */
interface Manner extends SubscribeOptions {
  readonly encoding: 'utf8' | null
}

export class Subscriber implements KeeperOwner {
  readonly #owner: SubscriberOwner
  readonly #keeper: Keeper
  readonly #topics: Readonly<Record<SubscriptionKind, Map<string, Topic>>> = {
    '': new Map(),
    p: new Map(),
    s: new Map(),
  }
  /** Does any handler want bytes, or did one? Then all messages are bytes at first. */
  #encoding: 'utf8' | null = 'utf8'
  /** How many confirmations are to come. */
  #asked = 0
  readonly #messages = new Held(
    push => this.#message(push),
    () => this.#asked > 0,
  )

  constructor(target: Target, owner: SubscriberOwner) {
    this.#owner = owner
    this.#keeper = new Keeper(target, this, true)
    this.#keeper.open()
  }

  // ---- subscribing ------------------------------------------------------------------------------

  add(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler,
    manner: Manner,
  ): Promise<void> {
    if (manner.encoding === null) this.#wantBytes()
    const known = this.#topics[kind].get(name)
    const topic = known ?? newTopic()
    topic.handlers.set(handler, manner)
    if (known === undefined) {
      this.#topics[kind].set(name, topic)
      if (this.#keeper.ready !== undefined) this.#send(this.#keeper.ready, kind, name, topic)
    }
    return topic.confirmed.promise
  }

  #wantBytes(): void {
    this.#encoding = null
    this.#keeper.ready?.show(null)
  }

  #send(session: RedisSession, kind: SubscriptionKind, name: string, topic: Topic): void {
    this.#ask(session, `${kind}subscribe`, name).then(
      () => this.#confirmed(session, topic),
      (error: RedisError) => this.#refused(kind, name, topic, error),
    )
  }

  #ask(session: RedisSession, call: string, name: string): Promise<unknown> {
    const command = new Command([call.toUpperCase(), name])
    session.send(command)
    this.#asked++
    this.#messages.release()
    return command.promise.finally(() => this.#asked--)
  }

  #confirmed(session: RedisSession, topic: Topic): void {
    if (this.#keeper.ready === session) this.#stands(topic)
    // Messages may have come before the loss.
    else topic.state = 'lost'
  }

  #stands(topic: Topic): void {
    const wasLost = topic.state === 'lost'
    topic.state = 'standing'
    topic.confirmed.resolve()
    if (!wasLost) return
    topic.handlers.each((_, { on_gap }) => {
      if (on_gap) void this.#call(on_gap)
    })
  }

  #refused(kind: SubscriptionKind, name: string, topic: Topic, error: RedisError): void {
    // The connection was lost: it is subscribed again on the next one.
    if (this.#keeper.ready === undefined || this.#topics[kind].get(name) !== topic) return
    this.#topics[kind].delete(name)
    topic.confirmed.reject(error)
    if (topic.state === 'lost') this.#owner.failed(error)
  }

  /** Without a handler all of them go. */
  async remove(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler | undefined,
  ): Promise<void> {
    const topic = this.#topics[kind].get(name)
    if (topic === undefined) return
    if (handler !== undefined) topic.handlers.delete(handler)
    if (handler !== undefined && topic.handlers.size > 0) return
    this.#topics[kind].delete(name)
    topic.handlers.clear()
    // Whoever still waits for it gets what was wanted last.
    topic.confirmed.resolve()
    // Without a connection there is nothing to be ended.
    const session = this.#keeper.ready
    if (session !== undefined) await this.#ask(session, `${kind}unsubscribe`, name).catch(noop)
  }

  // ---- messages ---------------------------------------------------------------------------------

  opened(session: RedisSession): void {
    session.show(this.#encoding)
    for (const kind of ['', 'p', 's'] as const)
      for (const [name, topic] of this.#topics[kind]) this.#send(session, kind, name, topic)
  }

  pushed(push: Push): Promise<void> | undefined {
    return this.#messages.pushed(push)
  }

  #message({ kind, data }: Push): Promise<unknown> | undefined {
    const topics = KINDS[kind]
    if (topics === undefined) return undefined
    const name = String(data[0])
    const topic = this.#topics[topics].get(name)
    if (topic === undefined) return undefined
    const isPattern = topics === 'p'
    const channel = isPattern ? String(data[1]) : name
    return this.#tell(topic, data[isPattern ? 2 : 1]!, channel, isPattern ? name : undefined)
  }

  #tell(
    topic: Topic,
    message: Reply,
    channel: string,
    pattern?: string,
  ): Promise<unknown> | undefined {
    // It is confirmed, but that is told later: in a promise.
    if (topic.state === 'lost') this.#stands(topic)
    let promises: Promise<unknown>[] | undefined
    topic.handlers.each((handler, { encoding }) => {
      const result = this.#call(() => handler(shown(message, encoding), channel, pattern))
      if (result !== undefined) (promises ??= []).push(result)
    })
    return promises && Promise.all(promises)
  }

  /** Calls what is the program's own. Returns its promise, which never rejects. */
  #call(own: () => unknown): Promise<unknown> | undefined {
    try {
      const result = own()
      if (!isPromiseLike(result)) return undefined
      return Promise.resolve(result).catch(error => this.#owner.failed(error))
    } catch (error) {
      this.#owner.failed(error)
      return undefined
    }
  }

  // ---- the end ----------------------------------------------------------------------------------

  lost(error: RedisError, sent: readonly Command[], isOver: boolean): void {
    for (const command of sent) command.lose(error)
    this.#messages.clear()
    if (isOver) this.#drop(error)
    for (const topics of Object.values(this.#topics))
      for (const topic of topics.values()) lose(topic)
    this.#owner.subscriberLost(error, isOver)
  }

  #drop(error: RedisError): void {
    for (const topics of Object.values(this.#topics)) {
      for (const { confirmed, handlers } of topics.values()) {
        confirmed.reject(error)
        handlers.clear()
      }
      topics.clear()
    }
  }

  /** Closes it, at once. Resolves when that is done. */
  close(error: RedisError): Promise<void> {
    this.#drop(error)
    return this.#keeper.close(false)
  }
}

function newTopic(): Topic {
  return { handlers: new Callees(), confirmed: newConfirmed(), state: 'asked' }
}

function newConfirmed(): Deferred<void> {
  const confirmed = deferred<void>()
  quiet(confirmed.promise)
  return confirmed
}

/** Whoever subscribes now waits until it stands again. */
function lose(topic: Topic): void {
  if (topic.state !== 'standing') return
  topic.state = 'lost'
  topic.confirmed = newConfirmed()
}

/** What messages are called, and which subscription they are for. */
const KINDS: Readonly<Record<string, SubscriptionKind>> = {
  message: '',
  pmessage: 'p',
  smessage: 's',
}

function shown(message: Reply, encoding: 'utf8' | null): unknown {
  if (encoding === null) return typeof message === 'string' ? Buffer.from(message) : message
  return typeof message === 'string' ? message : String(message)
}
