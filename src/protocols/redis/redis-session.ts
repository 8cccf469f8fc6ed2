/**
 * Layer 7. RedisSession: one connection to a Redis server. It logs in, sends commands, and gives
 * each reply to the oldest of them.
 *
 * In the order of a life: begin → on_connect (HELLO, AUTH …) → owner.opened → send … on_read … →
 * on_close → owner.lost.
 *
 * Rules:
 * 1. Commands are sent only when the login is done. Replies come in the order of the commands.
 * 2. A push is no reply, except where it confirms SUBSCRIBE and its like: these have no other one.
 * 3. Whatever is wrong closes the connection. What was sent and not answered goes back to the
 *    owner.
 */

import { Buffer } from 'node:buffer'
import { Client } from '../../channels/basic.ts'
import { linkOf } from '../../channels/streams/link-of.ts'
import { Deque } from '../../core/deque.ts'
import { DRIVE } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import { Heartbeat, type HeartbeatOwner } from '../../core/time/heartbeat.ts'
import type { Cancel, CloseReason, Milliseconds } from '../../types.ts'
import { Command } from './command.ts'
import { RedisError } from './errors.ts'
import { headOf, type Word } from './pack.ts'
import { Push, type Reply } from './reply.ts'
import { Replies, REPLY_BOUNDS } from './reply-parser.ts'
import { silences } from './rules.ts'
import type { Target } from './target.ts'

/** Who a session works for. */
export interface SessionOwner {
  /** It is logged in. */
  opened(session: RedisSession): void
  /** The server has said something by itself. A promise holds what comes next. */
  pushed(push: Push): unknown
  /** The connection has ended, or could not be made. `sent`: what has no reply. */
  lost(
    session: RedisSession,
    error: RedisError,
    sent: readonly Command[],
    reason: CloseReason,
  ): void
}

/** Words from this size on are sent as they are, without a copy. */
const LARGE = 64 * 1024

/** Once this much is queued, it is sent: the server may as well begin. */
const SEND_AT = 32 * 1024

/** More than this is not queued: the server does not read. */
const QUEUE_MAX = 16 * 1024 * 1024

/** What a confirmation is called; and the command that it confirms. */
const CONFIRMATIONS = /^[ps]?(un)?subscribe$/

/** A message, as RESP2 has it: an array. */
const MESSAGES = /^[ps]?message$/

export class RedisSession extends Client<Replies> implements HeartbeatOwner {
  declare read_delimiter: Replies
  readonly #replies: Replies
  readonly #target: Target
  readonly #owner: SessionOwner
  /** Is it for messages? In RESP2 they are arrays, as replies are. */
  readonly #isSubscriber: boolean
  readonly #sent = new Deque<Command>()
  #error: RedisError | undefined
  #isEnding = false
  /** Has the server ended it? */
  #isEnded = false
  #cancelEnd: Cancel = noop
  #heartbeat: Heartbeat | undefined
  /** The last ping. */
  #ping: Command | undefined
  /** Is it logged in? */
  isReady = false
  /** The database that it began with. */
  db = 0
  /** Has a transaction begun by MULTI? Then nothing may be sent that is no part of it. */
  isQueueing = false
  /** The version of RESP that is spoken. */
  protocol: 2 | 3 = 3

  constructor(target: Target, owner: SessionOwner, isSubscriber = false) {
    const { engine, connect_timeout, tls } = target
    super({ engine, name: 'RedisClient', connect_timeout, ...(tls && { tls }) })
    this.#target = target
    this.#owner = owner
    this.#isSubscriber = isSubscriber
    this.#replies = new Replies({ ...REPLY_BOUNDS, size: target.reply_size })
    // Assigned, since Node 22 and later are slower with an object that has lost its fields.
    this.read_delimiter = this.#replies
    this.send_high_water = SEND_AT
    // Bounded by QUEUE_MAX, a whole command at a time: half a command would be nonsense.
    this.send_buffer_size = Infinity
  }

  /** Connects, once. `lost` is called if that fails. */
  begin(): void {
    try {
      this.connect(this.#target.address)
    } catch (error) {
      // The engine stops.
      this.#error = connectionError(error as Error)
      this.#owner.lost(this, this.#error, [], 'drain')
    }
  }

  // ---- logging in -------------------------------------------------------------------------------

  override async on_connect(): Promise<void> {
    const { connect_timeout } = this.#target
    const cancel =
      connect_timeout === Infinity
        ? undefined
        : this.engine[DRIVE].after(connect_timeout, () =>
            this.on_error(new RedisError('ERR_TIMEOUT', 'logging in took too long')),
          )
    try {
      await this.#login()
    } finally {
      cancel?.()
    }
    this.isReady = true
    if (this.ping_interval !== Infinity) this.#heartbeat = new Heartbeat(this, this.engine[DRIVE])
    this.#owner.opened(this)
  }

  async #login(): Promise<void> {
    const { protocol, username, password, db, client_name } = this.#target
    this.db = db
    const login = password === undefined ? [] : [username || 'default', password]
    this.protocol = protocol === 3 && (await this.#hello(login)) ? 3 : 2
    const commands: [words: Word[], isRequired: boolean][] = []
    if (this.protocol === 2 && login.length > 0)
      commands.push([['AUTH', ...(username === '' ? login.slice(1) : login)], true])
    // Unknown before Redis 7.2.
    commands.push([['CLIENT', 'SETINFO', 'LIB-NAME', 'sluice'], false])
    if (client_name !== '') commands.push([['CLIENT', 'SETNAME', client_name], true])
    if (db !== 0) commands.push([['SELECT', String(db)], true])
    // A server that still loads its data refuses it.
    commands.push([['PING'], true])
    for (const [words] of commands) this.write_packed(...words)
    for (const [[name], isRequired] of commands) {
      const reply = await this.#reply()
      const isRefused = reply instanceof RedisError && isRequired
      if (isRefused && !(name === 'PING' && isUnable(reply))) throw loginError(reply)
    }
  }

  /** Returns false if the server does not speak RESP3. */
  async #hello(login: readonly string[]): Promise<boolean> {
    this.write_packed('HELLO', '3', ...(login.length > 0 ? ['AUTH', ...login] : []))
    const reply = await this.#reply()
    if (!(reply instanceof RedisError)) return true
    if (isUnable(reply)) return false
    throw loginError(reply)
  }

  async #reply(): Promise<Reply> {
    for (;;) {
      const value = (await this.read()) as Reply | Push | undefined
      if (value !== undefined && !(value instanceof Push)) return value
    }
  }

  // ---- commands ---------------------------------------------------------------------------------

  /** How many commands have no reply yet. */
  get waiting(): number {
    return this.#sent.size
  }

  /** Does the server take nothing more? */
  get isFull(): boolean {
    return this.bytes_queued > QUEUE_MAX
  }

  /** Messages are bytes from now on, or text. */
  show(encoding: 'utf8' | null): void {
    this.#replies.encoding = encoding
  }

  /** Sends a command. Its reply settles it. */
  send(command: Command): void {
    command.sends += 1
    this.#sent.push(command)
    if (this.#sent.size === 1) this.#expect(command)
    if (command.words.some(isLarge)) this.#sendLarge(command.words)
    else if (!this.write_packed(...command.words)) this.flush()
  }

  /** The next reply is that of this command. */
  #expect({ encoding }: Command): void {
    if (!this.#isSubscriber) this.#replies.encoding = encoding
  }

  #sendLarge(words: readonly Word[]): void {
    this.write(headOf('*', words.length))
    for (const word of words) {
      this.write(headOf('$', Buffer.byteLength(word)))
      this.write(word)
      this.write('\r\n')
    }
  }

  // ---- replies ----------------------------------------------------------------------------------

  override on_read(value: Reply | Push | undefined): unknown {
    if (value === undefined) return undefined
    const push = this.#pushOf(value)
    if (push !== undefined && !this.#isConfirmed(push)) return this.#owner.pushed(push)
    const command = this.#sent.shift()
    if (command === undefined)
      throw new RedisError('ERR_PROTOCOL', 'a reply came that nobody has asked for')
    const first = this.#sent.at(0)
    if (first !== undefined) this.#expect(first)
    command.settle(push === undefined ? (value as Reply) : push.data)
    if (this.#isEnding && first === undefined) super.close(true)
    return undefined
  }

  #pushOf(value: Reply | Push): Push | undefined {
    if (value instanceof Push) return value
    if (!this.#isSubscriber || this.protocol === 3 || !Array.isArray(value)) return undefined
    const kind = String(value[0])
    return MESSAGES.test(kind) || CONFIRMATIONS.test(kind) ? new Push(value) : undefined
  }

  /** Is it the reply of the oldest command? */
  #isConfirmed({ kind }: Push): boolean {
    const first = this.#sent.at(0)
    return first !== undefined && CONFIRMATIONS.test(kind) && first.name === kind.toUpperCase()
  }

  // ---- a server that is silent ------------------------------------------------------------------

  get ping_interval(): Milliseconds {
    return this.#target.ping_interval
  }

  get pong_timeout(): Milliseconds {
    return this.#target.ping_interval
  }

  get isDeaf(): boolean {
    if (this.#isEnding || linkOf(this).isDeaf || this.isQueueing) return true
    for (const command of this.#sent) if (silences(command)) return true
    return false
  }

  ping(): void {
    this.#ping = new Command(['PING'])
    this.send(this.#ping)
  }

  silent(): void {
    const silence = this.ping_interval + this.pong_timeout
    this.on_error(new RedisError('ERR_STALE', `the server gave no sign of life for ${silence} ms`))
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Closes at once; or, with `flush`, when all replies have come. */
  override close(flush = false): void {
    this.#isEnding = true
    if (!flush || !this.isReady || this.#sent.size === 0) return super.close(flush)
    // A server that is silent must not hold it for ever.
    this.#cancelEnd()
    this.#cancelEnd = this.engine[DRIVE].after(this.end_timeout, () => super.close())
  }

  override on_read_end(): void {
    const isCutOff = this.#replies.isAmid
    this.#isEnded = true
    this.#error ??= isCutOff
      ? new RedisError(
          'ERR_CUT_OFF',
          'the server ended the connection in the middle of a message' +
            (this.#isSubscriber ? ': it does so if a subscriber reads too slowly' : ''),
        )
      : new RedisError('ERR_CLOSED', 'the server ended the connection')
    super.close()
  }

  override on_error(error: Error): void {
    this.#error ??= connectionError(error)
    super.close()
  }

  override on_close(reason: CloseReason): void {
    this.isReady = false
    this.#cancelEnd()
    this.#heartbeat?.stop()
    const sent = this.#sent.takeAll().filter(command => command !== this.#ping)
    const error = this.#error ?? new RedisError('ERR_CLOSED', `the connection closed (${reason})`)
    this.#owner.lost(this, error, sent, this.#isEnded ? 'remote' : reason)
  }
}

function isLarge(word: Word): boolean {
  return word.length >= LARGE
}

/** What ended a connection, as the error of this protocol. */
function connectionError(error: Error): RedisError {
  // A delimiter that throws is told as the cause of a ReadError.
  const found = [error, error.cause].find(each => each instanceof RedisError)
  return found ?? new RedisError('ERR_CLOSED', error.message, '', error)
}

/** The server refuses what it was told on connecting. */
function loginError(error: RedisError): RedisError {
  return new RedisError(error.code, `the server refused the login: ${error.message}`, '', error)
}

/** Refusals of a server that is busy, or full, or not ready. */
const PASSING = /^(LOADING|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)$|max number of clients/

/** Does it only lack this command, for this user? A proxy has words of its own for that. */
function isUnable({ code, message }: RedisError): boolean {
  return /^(ERR|NOPROTO|NOPERM)$/.test(code) && !PASSING.test(message)
}

/** Was the login refused, in a way that trying again does not mend? */
export function isRefusal({ code, cause }: RedisError): boolean {
  return cause instanceof RedisError && !PASSING.test(code) && !PASSING.test(cause.message)
}
