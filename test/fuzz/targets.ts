/** Everything that is fuzzed. */

import { callsInMemory, callsOverSockets, callsOverTls } from './calls.ts'
import { changing, constant } from './delimiters.ts'
import { envelopes } from './envelopes.ts'
import { headers } from './headers.ts'
import { deflated, frames, inits, units, urls } from './messages.ts'
import { natsHostile, natsMessages } from './nats.ts'
import { natsCalls } from './nats-calls.ts'
import { options } from './options.ts'
import { redisCommands, redisGarbage, redisReplies } from './redis.ts'
import { redisCalls } from './redis-calls.ts'
import { roomsInMemory, roomsOverSockets } from './rooms.ts'
import { formats, prefixes, structs } from './structs.ts'
import type { Target } from './target.ts'
import { addresses, encoded, expressions } from './texts.ts'
import { webSocketFrames, webSocketHeads } from './websocket.ts'

/** What reads bytes or text, and how many rounds of it are a test. */
export const PARSERS: readonly (readonly [target: Target, rounds: number])[] = [
  [constant, 40],
  [changing, 30],
  [structs, 1000],
  [formats, 1000],
  [prefixes, 1000],
  [headers, 1000],
  [addresses, 1000],
  [encoded, 1000],
  [expressions, 1000],
  [urls, 1000],
  [inits, 500],
  [units, 1000],
  [frames, 200],
  [deflated, 100],
  [options, 1000],
  [webSocketFrames, 200],
  [webSocketHeads, 500],
  [envelopes, 10],
  [natsMessages, 300],
  [natsHostile, 50],
  [redisReplies, 250],
  [redisGarbage, 250],
  [redisCommands, 250],
]

/** Random calls in random hooks, and how many rounds of them are a test. */
export const CALLS: readonly (readonly [target: Target, rounds: number])[] = [
  [callsInMemory, 30],
  [callsOverTls, 30],
  [callsOverSockets, 30],
  [roomsInMemory, 40],
  [roomsOverSockets, 10],
  [redisCalls, 40],
  [natsCalls, 40],
]

export const TARGETS: readonly Target[] = [...PARSERS, ...CALLS].map(([target]) => target)
