// Layer 7.

/**
 * Redis: a client that speaks RESP3 and RESP2.
 *
 * @module sluice/redis
 */

export { RedisClient } from './client.ts'
export type { Argument, CommandOptions } from './command.ts'
export { Commands, type Run } from './typed-commands.ts'
export type { RedisState } from './connections.ts'
export { RedisError } from './errors.ts'
export type { Word } from './pack.ts'
export { Replies, type ReplyBounds } from './reply-parser.ts'
export { Push, type Reply } from './reply.ts'
export type { StreamEntry } from './shapes.ts'
export type { StreamReadOptions } from './stream-reader.ts'
export type { MessageHandler, SubscribeOptions } from './subscriber.ts'
export type { NestedRedisOptions, RedisOptions } from './target.ts'
export { Transaction } from './transaction.ts'
export { RedisView, type TextOf } from './view.ts'
export type { Keys, SetOptions, XaddOptions, XreadOptions } from './words.ts'
