/**
 * Layer 7. Commands: the commands that have types. Each is one call of `call`, with the reply in
 * the shape that a program wants, the same in RESP2 and RESP3.
 *
 * What is not here goes by `call`: all commands of Redis do.
 */

import type { Buffer } from 'node:buffer'
import { quiet } from '../../core/promises.ts'
import type { Milliseconds } from '../../types.ts'
import type { Argument } from './command.ts'
import { RedisError } from './errors.ts'
import type { Reply } from './reply.ts'
import { entriesOf, recordOf, type StreamEntry, streamsOf } from './shapes.ts'
import {
  type Keys,
  listOf,
  pairsOf,
  readWords,
  type SetOptions,
  setWords,
  type XaddOptions,
  type XreadOptions,
  xaddWords,
} from './words.ts'

/** What a command does with its words. */
export type Run = (words: Argument[]) => Promise<Reply>

/** The commands. `Text` is what strings are delivered as: see `with`. */
export class Commands<Text extends string | Buffer = string> {
  readonly #run: Run

  /** `run` sends a command, and returns its reply. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Sends any command, and returns the promise of its reply. Numbers are sent as text. Commands are
   * sent in the order of the calls, without waiting for each other's replies.
   *
   * A command that blocks (BLPOP, XREAD with BLOCK …) gets a connection of its own.
   *
   * Rejects with a RedisError. You need not look at the promise: it never becomes an unhandled
   * rejection. Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) for an argument that cannot be
   * sent.
   *
   * @example
   * await redis.call('OBJECT', 'ENCODING', 'key')
   */
  call<As = any>(...words: Argument[]): Promise<As> {
    return this.#run(words) as Promise<As>
  }

  /** Its reply in another shape. */
  #shaped<Shape>(words: Argument[], shape: (reply: any) => Shape): Promise<Shape> {
    const name = String(words[0])
    return quiet(this.#run(words).then(reply => shaped(name, reply, shape)))
  }

  // ---- strings and keys -------------------------------------------------------------------------

  /** The value of a key; null if there is none. */
  get(key: Argument): Promise<Text | null> {
    return this.#run(['GET', key]) as Promise<Text | null>
  }

  /** The values of several keys. */
  mget(keys: Keys): Promise<(Text | null)[]> {
    return this.#run(['MGET', ...listOf(keys, arguments.length > 1)]) as Promise<(Text | null)[]>
  }

  /** Sets a key. Resolves with 'OK', or with null if `nx` or `xx` kept it from that. */
  set(key: Argument, value: Argument, options?: SetOptions): Promise<'OK' | null> {
    const words: Argument[] = ['SET', key, value]
    if (options !== undefined) words.push(...setWords(options))
    return this.#run(words) as Promise<'OK' | null>
  }

  /** Sets a key that goes after that many seconds. */
  setex(key: Argument, seconds: number, value: Argument): Promise<'OK'> {
    return this.#run(['SETEX', key, seconds, value]) as Promise<'OK'>
  }

  /** Deletes keys. Resolves with how many there were. */
  del(keys: Keys): Promise<number> {
    return this.#run(['DEL', ...listOf(keys, arguments.length > 1)]) as Promise<number>
  }

  /** How many of these keys exist. */
  exists(keys: Keys): Promise<number> {
    return this.#run(['EXISTS', ...listOf(keys, arguments.length > 1)]) as Promise<number>
  }

  /** The key goes after that many seconds. Resolves with false if there is no such key. */
  expire(key: Argument, seconds: number): Promise<boolean> {
    return this.#shaped(['EXPIRE', key, seconds], reply => reply === 1)
  }

  /** The seconds that a key has left; -1: for ever; -2: there is none. */
  ttl(key: Argument): Promise<number> {
    return this.#run(['TTL', key]) as Promise<number>
  }

  /** Adds to a number. Resolves with the new one. */
  incr(key: Argument, by: number | bigint = 1): Promise<number | bigint> {
    return this.#run(['INCRBY', key, by]) as Promise<number | bigint>
  }

  // ---- hashes -----------------------------------------------------------------------------------

  /** Sets fields. Resolves with how many are new. */
  hset(key: Argument, fields: Readonly<Record<string, Argument>>): Promise<number> {
    return this.#run(['HSET', key, ...pairsOf('hset: fields', fields)]) as Promise<number>
  }

  /** The value of a field; null if there is none. */
  hget(key: Argument, field: Argument): Promise<Text | null> {
    return this.#run(['HGET', key, field]) as Promise<Text | null>
  }

  /** All fields; an empty object if there is no such key. */
  hgetall(key: Argument): Promise<Record<string, Text>> {
    return this.#shaped(['HGETALL', key], recordOf<Text>)
  }

  /** Deletes fields. Resolves with how many there were. */
  hdel(key: Argument, fields: Keys): Promise<number> {
    return this.#run(['HDEL', key, ...listOf(fields, arguments.length > 2)]) as Promise<number>
  }

  // ---- lists and sets ---------------------------------------------------------------------------

  /** Puts values at the head of a list. Resolves with its length. */
  lpush(key: Argument, values: Keys): Promise<number> {
    return this.#run(['LPUSH', key, ...listOf(values, arguments.length > 2)]) as Promise<number>
  }

  /** Puts values at the end of a list. Resolves with its length. */
  rpush(key: Argument, values: Keys): Promise<number> {
    return this.#run(['RPUSH', key, ...listOf(values, arguments.length > 2)]) as Promise<number>
  }

  /** The values from one index to another, which is included; -1 is the last. */
  lrange(key: Argument, start: number, stop: number): Promise<Text[]> {
    return this.#run(['LRANGE', key, start, stop]) as Promise<Text[]>
  }

  /**
   * Takes the first value of the first of these lists that has one, and waits for that, on a
   * connection of its own. `seconds` 0 waits for ever. Resolves with null if none came in time.
   *
   * A `timeout` of `with` closes that connection. A value that the server gave in that moment is
   * lost: give `seconds` instead.
   */
  blpop(keys: Keys, seconds: number): Promise<{ key: string; value: Text } | null> {
    return this.#shaped(
      ['BLPOP', ...listOf(keys), seconds],
      (reply: [key: Text, value: Text] | null) =>
        reply && { key: String(reply[0]), value: reply[1] },
    )
  }

  /** Adds members to a set. Resolves with how many are new. */
  sadd(key: Argument, members: Keys): Promise<number> {
    return this.#run(['SADD', key, ...listOf(members, arguments.length > 2)]) as Promise<number>
  }

  /** Removes members of a set. Resolves with how many there were. */
  srem(key: Argument, members: Keys): Promise<number> {
    return this.#run(['SREM', key, ...listOf(members, arguments.length > 2)]) as Promise<number>
  }

  /** The members of a set, in no order. */
  smembers(key: Argument): Promise<Text[]> {
    return this.#shaped(['SMEMBERS', key], (reply: Iterable<Text>) => [...reply])
  }

  // ---- streams ----------------------------------------------------------------------------------

  /** Adds an entry to a stream. Resolves with its id. */
  xadd(
    key: Argument,
    fields: Readonly<Record<string, Argument>>,
    options: XaddOptions = {},
  ): Promise<string> {
    const words = [...xaddWords(options), ...pairsOf('xadd: fields', fields)]
    return this.#shaped(['XADD', key, ...words], String)
  }

  /** The entries from one id to another, both included; `-` is the first, `+` the last. */
  xrange(key: Argument, start = '-', end = '+', count?: number): Promise<StreamEntry<Text>[]> {
    const most = count === undefined ? [] : ['COUNT', count]
    return this.#shaped(['XRANGE', key, start, end, ...most], entriesOf<Text>)
  }

  /**
   * Reads the entries of streams that come after these ids (`{ key: id }`), and waits for some if
   * `block` is given. Resolves with those streams that have any.
   */
  xread(
    streams: Readonly<Record<string, string>>,
    options: XreadOptions = {},
  ): Promise<Record<string, StreamEntry<Text>[]>> {
    return this.#shaped(['XREAD', ...readWords('xread', streams, options)], streamsOf<Text>)
  }

  /** The same for a consumer of a group; the id `>` is for what no consumer got. */
  xreadgroup(
    group: Argument,
    consumer: Argument,
    streams: Readonly<Record<string, string>>,
    options: XreadOptions = {},
  ): Promise<Record<string, StreamEntry<Text>[]>> {
    const words = readWords('xreadgroup', streams, options)
    return this.#shaped(['XREADGROUP', 'GROUP', group, consumer, ...words], streamsOf<Text>)
  }

  /** A consumer is done with entries. Resolves with how many were pending. */
  xack(key: Argument, group: Argument, ids: string | readonly string[]): Promise<number> {
    return this.#run(['XACK', key, group, ...listOf(ids)]) as Promise<number>
  }

  /**
   * Takes over entries of consumers that had them for that long, and have not acknowledged them.
   * `next` is where to go on: `0-0` if that were all.
   */
  xautoclaim(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle: Milliseconds,
    start = '0-0',
    count?: number,
  ): Promise<{ next: string; entries: StreamEntry<Text>[] }> {
    const most = count === undefined ? [] : ['COUNT', count]
    const words = ['XAUTOCLAIM', key, group, consumer, min_idle, start, ...most]
    return this.#shaped(words, ([next, entries]: [Text, Reply]) => ({
      next: String(next),
      entries: entriesOf<Text>(entries),
    }))
  }

  // ---- messages and scripts ---------------------------------------------------------------------

  /** Publishes a message. Resolves with how many subscribers got it. */
  publish(channel: Argument, message: Argument): Promise<number> {
    return this.#run(['PUBLISH', channel, message]) as Promise<number>
  }

  /** The same to a shard channel, whose subscribers used `ssubscribe`. */
  spublish(channel: Argument, message: Argument): Promise<number> {
    return this.#run(['SPUBLISH', channel, message]) as Promise<number>
  }

  /** Runs a script in Lua on the server: `KEYS` are its keys, `ARGV` its arguments. */
  eval<As = any>(script: string, keys: Keys = [], args: Keys = []): Promise<As> {
    const names = listOf(keys)
    return this.#run(['EVAL', script, names.length, ...names, ...listOf(args)]) as Promise<As>
  }

  /** Asks for a sign of life. */
  ping(): Promise<'PONG'> {
    return this.#run(['PING']) as Promise<'PONG'>
  }
}

/** A server may answer anything. */
function shaped<Shape>(name: string, reply: Reply, shape: (reply: any) => Shape): Shape {
  try {
    return shape(reply)
  } catch (error) {
    throw new RedisError('ERR_PROTOCOL', `the reply to ${name} has another form`, name, error)
  }
}
