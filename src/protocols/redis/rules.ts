/**
 * Layer 7. What has to be known of some commands: whether they may run twice, whether they block,
 * and which cannot be sent with `call`.
 */

import type { Command } from './command.ts'
import type { Word } from './pack.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/))

/**
 * Commands that only read. They may run twice, so they wait while there is no connection, and are
 * sent again if it was lost before the reply.
 */
// Source: the flag `readonly` of COMMAND INFO, Redis 7.0, and those about the server itself.
const READS = set(`
  BITCOUNT BITFIELD_RO BITPOS DBSIZE DUMP EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST
  GEOHASH GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET
  HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN HVALS KEYS LCS LINDEX LLEN LOLWUT LPOS LRANGE
  MEMORY MGET OBJECT PEXPIRETIME PFCOUNT PTTL RANDOMKEY SCAN SCARD SDIFF SINTER SINTERCARD
  SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TOUCH TTL TYPE XINFO
  XLEN XPENDING XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE
  ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE
  ZREVRANK ZSCAN ZSCORE ZUNION COMMAND ECHO INFO LASTSAVE PING PUBSUB TIME
`)

/** Commands that wait on the server, and hold up all that come after them. */
const BLOCKING = set('BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP')

/** Commands that wait for replicas, on the connection that all use. */
const WAITING = set('WAIT WAITAOF')

/** Why each of these cannot be sent. They change what the connection says, or make it silent. */
const REFUSED: Readonly<Record<string, string>> = {
  SUBSCRIBE: 'it has no reply: use subscribe()',
  PSUBSCRIBE: 'it has no reply: use psubscribe()',
  SSUBSCRIBE: 'it has no reply: use ssubscribe()',
  UNSUBSCRIBE: 'it has no reply: use unsubscribe()',
  PUNSUBSCRIBE: 'it has no reply: use punsubscribe()',
  SUNSUBSCRIBE: 'it has no reply: use sunsubscribe()',
  MONITOR: 'everything after its reply is a reply that nobody has asked for',
  RESET: 'it ends the login and RESP3: close, and connect again',
  SYNC: 'it makes a replica of the connection',
  PSYNC: 'it makes a replica of the connection',
}

/** Why each of these cannot be a part of a transaction. */
const REFUSED_IN_PARTS: Readonly<Record<string, string>> = {
  MULTI: 'it is in a transaction already',
  EXEC: 'exec() sends it',
  DISCARD: 'use discard()',
  WATCH: 'call it before multi()',
  QUIT: 'it would end the connection: use end()',
}

/** Must any of the functions below be asked about it? Most commands are as most commands are. */
export function isSpecial(name: string): boolean {
  return SPECIAL.has(name)
}

/** May it run twice without harm? */
export function mayRunTwice({ name, isPart }: Command): boolean {
  return !isPart && READS.has(name)
}

const SPECIAL: ReadonlySet<string> = new Set([
  ...BLOCKING,
  ...Object.keys(REFUSED),
  'XREAD',
  'XREADGROUP',
  'MULTI',
  'CLIENT',
  'SELECT',
  'WATCH',
  'UNWATCH',
  'EXEC',
  'DISCARD',
  'QUIT',
])

/** Does it wait on the server? */
export function blocks(name: string, words: readonly Word[]): boolean {
  if (BLOCKING.has(name)) return true
  if (name !== 'XREAD' && name !== 'XREADGROUP') return false
  // BLOCK stands before STREAMS, which keys follow. Two names follow GROUP.
  for (const word of words.slice(name === 'XREAD' ? 1 : 4)) {
    const text = String(word).toUpperCase()
    if (text === 'BLOCK' || text === 'STREAMS') return text === 'BLOCK'
  }
  return false
}

/**
 * Is a silence no sign, and a ping no question, while this command has no reply? It waits on the
 * server, or begins a transaction that a ping would be a part of.
 */
export function silences({ name, isBlocking, isPart }: Command): boolean {
  return isBlocking || WAITING.has(name) || (name === 'MULTI' && !isPart)
}

/** Why it cannot be sent; '' if it can. */
export function refusal(name: string, words: readonly Word[]): string {
  if (name === 'CLIENT' && String(words[1]).toUpperCase() === 'REPLY')
    return 'without replies nobody knows which reply is whose'
  return Object.hasOwn(REFUSED, name) ? (REFUSED[name] as string) : ''
}

/** The same in a transaction. */
export function partRefusal(name: string, words: readonly Word[]): string {
  return REFUSED_IN_PARTS[name] ?? refusal(name, words)
}
