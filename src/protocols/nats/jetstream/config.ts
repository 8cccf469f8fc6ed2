/**
 * Layer 7. The configuration of streams and consumers. Its names and values are those of NATS, so
 * that NATS's own guide holds, with one exception: a time is in milliseconds here, as everywhere.
 * On the wire it is in nanoseconds.
 */

import {
  type Check,
  checkBoolean,
  type Checks,
  checkText,
  listOf,
  oneOf,
  wholeFrom,
} from '../../../core/checks.ts'
import type { Complete } from '../../../core/option-types.ts'
import { checkOptions, optionsOf } from '../../../core/options.ts'
import { InvalidArgumentError } from '../../../errors.ts'
import type { Bytes, Milliseconds } from '../../../types.ts'
import { checkPattern, checkWord } from '../subjects.ts'

/** How a stream is kept. What is left out has NATS's default. */
export interface NatsStreamConfig {
  /** One word, without dots. */
  readonly name: string
  /** A text for people. */
  readonly description?: string | undefined
  /** The subjects whose messages it stores; they may have wildcards. */
  readonly subjects?: readonly string[] | undefined
  /** Where its messages are. @default 'file' */
  readonly storage?: 'file' | 'memory' | undefined
  /** What is dropped when: by the limits, or once it has been acknowledged. @default 'limits' */
  readonly retention?: 'limits' | 'interest' | 'workqueue' | undefined
  /** What is dropped at a limit: the oldest message, or the one that comes. @default 'old' */
  readonly discard?: 'old' | 'new' | undefined
  /** The most messages. @default -1: no limit */
  readonly max_msgs?: number | undefined
  /** The most messages of one subject. @default -1: no limit */
  readonly max_msgs_per_subject?: number | undefined
  /** The most bytes of all. @default -1: no limit */
  readonly max_bytes?: Bytes | undefined
  /** The most bytes of one message. @default -1: no limit */
  readonly max_msg_size?: Bytes | undefined
  /** How long a message is kept. @default 0: no limit */
  readonly max_age?: Milliseconds | undefined
  /** The most consumers. @default -1: no limit */
  readonly max_consumers?: number | undefined
  /** How long an `id` is remembered: see `publish`. @default 120 000 ms */
  readonly duplicate_window?: Milliseconds | undefined
  /** On how many servers of a cluster it is. @default 1 */
  readonly num_replicas?: number | undefined
  /** What is stored is published again, to this subject. Since 2.9. */
  readonly republish?: { readonly src?: string | undefined; readonly dest: string } | undefined
}

/** How a consumer goes through a stream. What is left out has NATS's default. */
export interface NatsConsumerConfig {
  /** The name of a consumer that lasts. Without one it goes when nobody has used it for a while. */
  readonly durable_name?: string | undefined
  /** A text for people. */
  readonly description?: string | undefined
  /** Only messages to this subject; it may have wildcards. @default all */
  readonly filter_subject?: string | undefined
  /** Where it begins. @default 'all': with the first message */
  readonly deliver_policy?:
    'all' | 'last' | 'new' | 'by_start_sequence' | 'by_start_time' | 'last_per_subject' | undefined
  /** The number of the first message, for 'by_start_sequence'. */
  readonly opt_start_seq?: number | undefined
  /** A time of ISO 8601, for 'by_start_time'. */
  readonly opt_start_time?: string | undefined
  /** What must be acknowledged: each message, all up to one, or nothing. @default 'explicit' */
  readonly ack_policy?: 'explicit' | 'all' | 'none' | undefined
  /** After this a message without acknowledgement is delivered again. @default 30 000 ms */
  readonly ack_wait?: Milliseconds | undefined
  /** How often a message is delivered at most. @default -1: no limit */
  readonly max_deliver?: number | undefined
  /** The most messages that may wait for their acknowledgement. @default 1000 */
  readonly max_ack_pending?: number | undefined
  /** Without a `durable_name`, it goes after being unused for this long. @default 5000 ms */
  readonly inactive_threshold?: Milliseconds | undefined
  /** Whether its state is kept in memory only. Since 2.9. @default that of the stream */
  readonly mem_storage?: boolean | undefined
}

/** What a stream is, and what it holds. */
export interface NatsStreamInfo {
  /** As the server has it, with all its defaults. */
  readonly config: NatsStreamConfig
  /** What it holds now. */
  readonly state: {
    /** How many messages it holds, and their bytes. */
    readonly messages: number
    readonly bytes: Bytes
    /** The numbers of the first and the last message. */
    readonly first_seq: number
    readonly last_seq: number
    /** How many subjects its messages have. */
    readonly num_subjects: number
    readonly consumer_count: number
  }
}

/** What a consumer is, and how far it has come. */
export interface NatsConsumerInfo {
  /** The stream that it goes through. */
  readonly stream_name: string
  /** Its name; the server gave it one, if it had none. */
  readonly name: string
  /** As the server has it, with all its defaults. */
  readonly config: NatsConsumerConfig
  /** How many messages wait to be delivered for the first time. */
  readonly num_pending: number
  /** How many were delivered and wait for their acknowledgement. */
  readonly num_ack_pending: number
}

/** The names of streams and consumers are tokens of subjects. */
const NAME = /[\s.*>/\\\0-\x20\x7f]/

/** The name of a stream or a consumer. Throws InvalidArgumentError. */
export function checkStreamName(name: string, value: unknown): string {
  return checkWord(name, value, NAME)
}

/** NATS has 0 or -1 for no limit. */
const checkLimit = wholeFrom(-1)

/** What is a time, in ms. On the wire it has as many nanoseconds as 63 bits can count. */
export const checkTime: Check<Milliseconds> = (name, value) => {
  if (typeof value !== 'number' || !(value >= 0 && value < Infinity))
    throw new InvalidArgumentError(name, 'a number of milliseconds', value)
  return value
}

const REPUBLISH_CHECKS: Checks<Complete<NatsStreamConfig>['republish']> = {
  src: checkText,
  dest: checkText,
}

const STREAM_CHECKS: Checks<NatsStreamConfig> = {
  name: checkStreamName,
  description: checkText,
  subjects: listOf(checkPattern, 'subjects'),
  storage: oneOf('file', 'memory'),
  retention: oneOf('limits', 'interest', 'workqueue'),
  discard: oneOf('old', 'new'),
  max_msgs: checkLimit,
  max_msgs_per_subject: checkLimit,
  max_bytes: checkLimit,
  max_msg_size: checkLimit,
  max_age: checkTime,
  max_consumers: checkLimit,
  duplicate_window: checkTime,
  num_replicas: wholeFrom(1),
  republish: optionsOf(REPUBLISH_CHECKS),
}

const CONSUMER_CHECKS: Checks<NatsConsumerConfig> = {
  durable_name: checkStreamName,
  description: checkText,
  filter_subject: checkPattern,
  deliver_policy: oneOf(
    ...['all', 'last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'],
  ),
  opt_start_seq: wholeFrom(1),
  opt_start_time: checkText,
  ack_policy: oneOf('explicit', 'all', 'none'),
  ack_wait: checkTime,
  max_deliver: checkLimit,
  max_ack_pending: checkLimit,
  inactive_threshold: checkTime,
  mem_storage: checkBoolean,
}

/** What is a time. */
const TIMES = ['max_age', 'duplicate_window', 'ack_wait', 'inactive_threshold']

/** Nanoseconds in a millisecond. */
const NS = 1e6

/** As it goes on the wire. The server checks what belongs together. */
export function packStream(call: string, config: NatsStreamConfig): object {
  checkOptions(call, config, STREAM_CHECKS, ['name'])
  return mapTimes(config, time => Math.round(time * NS))
}

export function packConsumer(call: string, config: NatsConsumerConfig): object {
  checkOptions(call, config, CONSUMER_CHECKS)
  return mapTimes({ ack_policy: 'explicit', ...config }, time => Math.round(time * NS))
}

/** As a program sees it. */
export function unpack<Config>(config: object): Config {
  return mapTimes(config, time => time / NS) as Config
}

function mapTimes(config: object, change: (time: number) => number): object {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, TIMES.includes(name) ? change(Number(value)) : value]),
  )
}
