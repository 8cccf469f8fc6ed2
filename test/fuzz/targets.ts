/** Everything that is fuzzed. */

import { callsInMemory, callsOverSockets, callsOverTls } from './calls.ts'
import { changing, constant } from './delimiters.ts'
import { envelopes } from './envelopes.ts'
import { headers } from './headers.ts'
import { deflated, frames, inits, units, urls } from './messages.ts'
import { natsHostile, natsMessages } from './nats.ts'
import { options } from './options.ts'
import { redisCommands, redisGarbage, redisReplies } from './redis.ts'
import { formats, prefixes, structs } from './structs.ts'
import type { Target } from './target.ts'
import { addresses, encoded, expressions } from './texts.ts'
import { webSocketFrames, webSocketHeads } from './websocket.ts'

/** What reads bytes or text, and how many rounds of it are a test. */
export const PARSERS: readonly (readonly [target: Target, rounds: number])[] = [
  [constant, 500],
  [changing, 300],
  [structs, 5000],
  [formats, 5000],
  [prefixes, 5000],
  [headers, 5000],
  [addresses, 5000],
  [encoded, 5000],
  [expressions, 5000],
  [urls, 5000],
  [inits, 2000],
  [units, 5000],
  [frames, 2000],
  [deflated, 500],
  [options, 5000],
  [webSocketFrames, 2000],
  [webSocketHeads, 2000],
  [envelopes, 30],
  [natsMessages, 3000],
  [natsHostile, 200],
  [redisReplies, 1000],
  [redisGarbage, 1000],
  [redisCommands, 1000],
]

/** Random calls in random hooks, and how many rounds of them are a test. */
export const CALLS: readonly (readonly [target: Target, rounds: number])[] = [
  [callsInMemory, 250],
  [callsOverTls, 100],
  [callsOverSockets, 100],
]

export const TARGETS: readonly Target[] = [...PARSERS, ...CALLS].map(([target]) => target)
