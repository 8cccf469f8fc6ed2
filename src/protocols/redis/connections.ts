/**
 * Layer 7. Connections: all connections of one client. One is for commands, one for messages if it
 * subscribes, and one for each command that blocks.
 *
 * The way of a command: run → (#wait →) RedisSession.send → (the server) → RedisSession.on_read →
 * Command.settle.
 *
 * Rules:
 * 1. Commands are sent in the order of the calls. Those that wait for a connection go first.
 * 2. Nothing that may have run is sent again, unless it only reads.
 * 3. Every promise settles: with its reply, at its timeout, when the connection is lost, or when
 *    the client closes.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { DRIVE } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import type { CloseReason, Milliseconds } from '../../types.ts'
import { Blocking } from './blocking.ts'
import { type Argument, Command } from './command.ts'
import { ConnectionState } from './connection-state.ts'
import { RedisError } from './errors.ts'
import { Held } from './held.ts'
import { Keeper, type KeeperOwner } from './keeper.ts'
import { isRefusal, type RedisSession } from './redis-session.ts'
import type { Push, Reply } from './reply.ts'
import { blocks, isSpecial, mayRunTwice, refusal } from './rules.ts'
import {
  type MessageHandler,
  type SubscribeOptions,
  Subscriber,
  type SubscriberOwner,
  type SubscriptionKind,
} from './subscriber.ts'
import type { Target } from './target.ts'

/** Where a client is in its life: 'opening' also while it connects again. */
export type RedisState = 'closed' | 'opening' | 'active' | 'closing'

/** What the client is told. */
export interface ConnectionsOwner {
  on_connect(): void
  on_disconnect(error: RedisError): void
  /** Its promise never rejects. */
  on_push(kind: string, data: readonly Reply[]): Promise<unknown> | undefined
  on_error(error: unknown): void
  on_close(reason: CloseReason): void
}

/** How commands are sent. */
export interface Manner {
  /** Undefined: that of the client. */
  readonly timeout: Milliseconds | undefined
  readonly encoding: 'utf8' | null
}

/** How long commands wait for a connection once the client ends: as `end_timeout` of a channel. */
const END_TIMEOUT: Milliseconds = 30_000

/** How often a command that only reads is sent: it may be what ends the server. */
const SENDS_MAX = 3

export class Connections implements KeeperOwner, SubscriberOwner {
  owner!: ConnectionsOwner
  state: RedisState = 'closed'
  #target!: Target
  #keeper!: Keeper
  #blocking!: Blocking
  #subscriber: Subscriber | undefined
  /** The commands that wait for a connection. One whose time is over waits no more. */
  readonly #queue = new Set<Command>()
  /** The session for commands, if it is logged in. */
  #session: RedisSession | undefined
  readonly #state = new ConnectionState(
    () => this.#session,
    db => this.#selected(db),
  )
  readonly #pushes = new Held(
    ({ kind, data }) => this.owner.on_push(kind, data),
    () => this.#session !== undefined && this.#session.waiting > 0,
  )
  #wasOpen = false
  /** Why it is closed, if the program has not closed it. */
  #fault: RedisError | undefined
  #ready = newReady()
  #closed: Promise<CloseReason> = Promise.resolve('local')

  /** Settles when there is a connection, or when there will be none. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Settles when all connections have ended. */
  get closed(): Promise<CloseReason> {
    return this.#closed
  }

  // ---- opening ----------------------------------------------------------------------------------

  open(target: Target): void {
    if (this.#wasClosed) this.#ready = newReady()
    this.state = 'opening'
    this.#wasOpen = this.#wasClosed = false
    this.#fault = undefined
    this.#state.reset()
    this.#target = target
    this.#blocking = new Blocking(target)
    this.#keeper = new Keeper(target, this)
    const closed = deferred<CloseReason>()
    this.#closed = closed.promise
    this.#finished = closed.resolve
    // Not inside `connect`: no hook is called there.
    this.#keeper.open()
  }

  #wasClosed = false
  #finished: (reason: CloseReason) => void = noop

  opened(session: RedisSession): void {
    const isEnding = this.state === 'closing'
    if (!isEnding) this.state = 'active'
    this.#wasOpen = true
    this.#session = session
    for (const command of this.#unqueue()) this.#send(session, command)
    this.#ready.resolve()
    if (!isEnding) this.owner.on_connect()
  }

  // ---- commands ---------------------------------------------------------------------------------

  run(words: Argument[], { timeout, encoding }: Manner): Promise<Reply> {
    const command = new Command(words, encoding)
    if (isSpecial(command.name)) this.#runSpecial(command, timeout)
    else this.#runUsual(command, timeout ?? this.#target?.timeout)
    return command.promise
  }

  #runUsual(command: Command, timeout: Milliseconds | undefined): void {
    const fault = this.#faultOf(command, 1)
    if (fault !== undefined) return command.fail(fault)
    this.#pass(command, timeout)
  }

  /** The commands of a transaction, with nothing in between. */
  runAll(commands: readonly Command[], timeout: Milliseconds | undefined): void {
    const [first] = commands as [Command, ...Command[]]
    const lostWatch = this.#state.takeWatch()
    const fault = this.#faultOf(first, commands.length) ?? lostWatch
    for (const command of commands) {
      if (fault !== undefined) command.lose(fault)
      else this.#pass(command, timeout ?? this.#target.timeout)
      this.#state.follow(command)
    }
  }

  #pass(command: Command, timeout: Milliseconds | undefined): void {
    if (timeout !== undefined && timeout !== Infinity)
      command.limit(this.#target.engine, timeout, () => this.#expired(command))
    if (this.#session === undefined) this.#queue.add(command)
    else this.#send(this.#session, command)
  }

  #send(session: RedisSession, command: Command): void {
    if (command.isBlocking) return this.#blocking.run(command)
    session.send(command)
    this.#pushes.release()
  }

  #expired(command: Command): void {
    if (!this.#queue.delete(command) && command.isBlocking) this.#blocking.leave(command)
  }

  /** All that waits for a connection, in order, and waits no more. */
  #unqueue(): Command[] {
    const all = [...this.#queue]
    this.#queue.clear()
    return all
  }

  /** Why these commands can be neither sent nor wait; undefined if they can. */
  #faultOf(first: Command, count: number): RedisError | undefined {
    const session = this.#session
    const waiting = session === undefined ? this.#queue.size : session.waiting
    if (session === undefined) {
      if (this.state !== 'opening') return this.#notOpen()
      if (this.#wasOpen && !this.#waits(first))
        return new RedisError('ERR_DISCONNECTED', 'there is no connection just now')
    } else if (this.state === 'closing')
      return new RedisError('ERR_CLOSED', 'the client is closing')
    else if (first.isBlocking) return undefined
    else if (session.isFull)
      return new RedisError('ERR_OVERFLOW', 'the server does not read: too many bytes are queued')
    if (waiting + count <= this.#target.limit) return undefined
    return new RedisError('ERR_OVERFLOW', `${this.#target.limit} commands wait already`)
  }

  /** A refused login keeps its code: it is what has to be mended. */
  #notOpen(command = ''): RedisError {
    const fault = this.#fault
    if (fault === undefined)
      return new RedisError('ERR_CLOSED', 'the client is not open: connect() it first', command)
    const code = isRefusal(fault) ? fault.code : 'ERR_CLOSED'
    return new RedisError(code, `the client has closed: ${fault.message}`, command, fault)
  }

  /** Does it wait for the next connection? */
  #waits(command: Command): boolean {
    const { waiting } = this.#target
    return waiting === 'all' || (waiting === 'reads' && mayRunTwice(command))
  }

  #runSpecial(command: Command, timeout: Milliseconds | undefined): void {
    const { name, words } = command
    const why = refusal(name, words)
    if (why !== '') return command.fail(new RedisError('ERR_UNSUPPORTED', `${name}: ${why}`))
    if (blocks(name, words)) {
      command.isBlocking = true
      // How long it waits is its own affair.
      return this.#runUsual(command, timeout)
    }
    this.#runUsual(command, timeout ?? this.#target?.timeout)
    this.#state.follow(command)
    // The server ends the connection, which then is not lost.
    if (name === 'QUIT') this.close(true)
  }

  /** The next connections begin with this database. */
  #selected(db: number): void {
    this.#target.db = db
    this.#blocking.retire()
  }

  // ---- messages ---------------------------------------------------------------------------------

  async subscribe(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler,
    manner: SubscribeOptions & Pick<Manner, 'encoding'>,
  ): Promise<void> {
    if (this.state === 'closed' || this.state === 'closing')
      throw this.#notOpen(`${kind}subscribe`.toUpperCase())
    this.#subscriber ??= new Subscriber(this.#target, this)
    await this.#subscriber.add(kind, name, handler, manner)
  }

  async unsubscribe(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler | undefined,
  ): Promise<void> {
    await this.#subscriber?.remove(kind, name, handler)
  }

  pushed(push: Push): Promise<void> | undefined {
    return this.#pushes.pushed(push)
  }

  failed(error: unknown): void {
    this.owner.on_error(error)
  }

  // ---- losing it --------------------------------------------------------------------------------

  lost(error: RedisError, sent: readonly Command[], isOver: boolean, reason: CloseReason): void {
    this.#session = undefined
    this.#state.lost()
    this.#pushes.clear()
    if (error.code === 'ERR_STALE') this.#blocking.lose(error)
    if (this.state === 'active') {
      this.state = 'opening'
      this.#ready = newReady()
    }
    const waited = this.#unqueue()
    for (const command of sent) {
      if (!isOver && this.#isSentAgain(command)) this.#queue.add(command)
      else command.lose(error)
    }
    for (const command of waited) this.#queue.add(command)
    const isClosing = this.state === 'closing'
    // First: nothing can be called any more in the hook.
    if (isOver && !isClosing) this.#fault = error
    if (isOver) this.#shut(error, reason, false)
    if (!isClosing) this.owner.on_disconnect(error)
  }

  #isSentAgain(command: Command): boolean {
    const isWanted = !command.isSettled && command.sends < SENDS_MAX
    return isWanted && mayRunTwice(command) && this.#target.waiting !== 'none'
  }

  subscriberLost(error: RedisError, isOver: boolean): void {
    if (isOver) this.#subscriber = undefined
    if (this.state !== 'closing') this.owner.on_disconnect(error)
  }

  // ---- closing ----------------------------------------------------------------------------------

  /** Closes at once; or, with `flush`, when all replies have come. */
  close(flush: boolean): void {
    const isDone = this.state === 'closed' || (flush && this.state === 'closing')
    if (!isDone) this.#shut(new RedisError('ERR_CLOSED', 'the client was closed'), 'local', flush)
  }

  #shut(error: RedisError, reason: CloseReason, flush: boolean): void {
    const wasClosing = this.state === 'closing'
    if (this.state === 'active') this.#ready = newReady()
    this.state = 'closing'
    for (const command of this.#queue) if (!flush || command.isBlocking) this.#drop(command, error)
    const isLater = this.#queue.size > 0
    const parts = [
      isLater ? this.#closeLater() : this.#keeper.close(flush),
      this.#blocking.close(error),
    ]
    if (this.#subscriber !== undefined) parts.push(this.#subscriber.close(error))
    this.#subscriber = undefined
    if (!isLater) this.#ready.reject(error)
    if (!wasClosing) void Promise.all(parts).then(() => this.#finish(reason))
  }

  #drop(command: Command, error: RedisError): void {
    this.#queue.delete(command)
    command.lose(error)
  }

  /** What waits for a connection is sent first, if there is one in time. */
  async #closeLater(): Promise<void> {
    const cancel = this.#target.engine[DRIVE].after(END_TIMEOUT, () => this.close(false))
    await this.#ready.promise.catch(noop)
    cancel()
    await this.#keeper.close(true)
  }

  #finish(reason: CloseReason): void {
    // The hook may open it again.
    const finished = this.#finished
    this.state = 'closed'
    this.#wasClosed = true
    this.#session = undefined
    this.owner.on_close(reason)
    finished(reason)
  }
}

/** You need not look at it. */
function newReady(): Deferred<void> {
  const ready = deferred<void>()
  ready.promise.catch(noop)
  return ready
}
