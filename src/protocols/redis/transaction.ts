/**
 * Layer 7. Transaction: commands that the server runs one after the other, with none of anybody
 * else's in between (MULTI, EXEC).
 *
 * Nothing is sent before `exec`. Then all of it goes out together, so other commands of the same
 * client never get in between.
 */

import type { Buffer } from 'node:buffer'
import { quiet } from '../../core/promises.ts'
import { InvalidStateError } from '../../errors.ts'
import { type Argument, Command } from './command.ts'
import { RedisError } from './errors.ts'
import type { Reply } from './reply.ts'
import { partRefusal } from './rules.ts'
import { Commands } from './typed-commands.ts'

/** Sends commands with nothing in between. */
type RunAll = (commands: readonly Command[]) => void

/**
 * Collects commands, and sends them with `exec`. Each command returns the promise of its own reply,
 * as outside of a transaction.
 */
export class Transaction<Text extends string | Buffer = string> extends Commands<Text> {
  readonly #runAll: RunAll
  readonly #encoding: 'utf8' | null
  readonly #commands: Command[] = []
  /** What has ended it. */
  #endedBy: '' | 'exec()' | 'discard()' = ''
  /** Why nothing of it can be sent. With SUBSCRIBE in it, the array of EXEC would be too short. */
  #refused: RedisError | undefined

  /** Made by `multi` of a client. */
  constructor(runAll: RunAll, encoding: 'utf8' | null) {
    super(words => this.#add(words))
    this.#runAll = runAll
    this.#encoding = encoding
  }

  #add(words: Argument[]): Promise<Reply> {
    this.#checkOpen('a transaction')
    const command = new Command(words, this.#encoding, true)
    const why = partRefusal(command.name, command.words)
    if (why !== '') {
      const error = new RedisError('ERR_UNSUPPORTED', `${command.name}: ${why}`, command.name)
      this.#refused ??= error
      command.fail(error)
    }
    this.#commands.push(command)
    return command.promise
  }

  /**
   * Runs the commands. Resolves with their replies, in order; one that has failed is a RedisError
   * in the list, and the others have run all the same: Redis undoes nothing.
   *
   * Rejects with a RedisError if none has run: EXECABORT if the server refused one of them,
   * ERR_WATCHED if a key that was watched has changed, or if the connection that watched it was
   * lost, ERR_CLOSED if the connection was lost meanwhile (then they may have run). Throws
   * InvalidStateError if it is called twice, or after `discard`.
   */
  exec(): Promise<(Reply | RedisError)[]> {
    this.#checkOpen('exec()')
    this.#endedBy = 'exec()'
    return quiet(this.#exec())
  }

  async #exec(): Promise<(Reply | RedisError)[]> {
    const commands = this.#commands
    if (this.#refused !== undefined) {
      for (const command of commands) command.lose(this.#refused)
      throw this.#refused
    }
    const queued = commands.map(({ words }) => new Command([...words], 'utf8', true))
    const exec = new Command(['EXEC'], this.#encoding, true)
    this.#runAll([new Command(['MULTI'], 'utf8', true), ...queued, exec])
    for (const [i, { promise }] of queued.entries())
      promise.catch((error: RedisError) => commands[i]!.fail(error))
    try {
      const replies = (await exec.promise) as Reply[] | null
      if (replies === null) throw new RedisError('ERR_WATCHED', 'a watched key has changed', 'EXEC')
      if (!Array.isArray(replies))
        throw new RedisError('ERR_PROTOCOL', 'the reply to EXEC is no array', 'EXEC')
      for (const [i, reply] of replies.entries()) commands[i]?.settle(reply)
      const short = new RedisError('ERR_PROTOCOL', 'the reply to EXEC is too short', 'EXEC')
      for (const command of commands) command.lose(short)
      return replies
    } catch (error) {
      for (const command of commands) command.lose(error as RedisError)
      throw error
    }
  }

  /** Drops the commands. Their promises reject (ERR_CLOSED). */
  discard(): void {
    this.#endedBy ||= 'discard()'
    const error = new RedisError('ERR_CLOSED', 'the transaction was discarded')
    for (const command of this.#commands.splice(0)) command.fail(error)
  }

  #checkOpen(what: string): void {
    if (this.#endedBy === '') return
    const why = `${this.#endedBy} was called`
    throw new InvalidStateError(what, why, 'make another one by multi()')
  }
}
