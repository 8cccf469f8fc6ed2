/**
 * Layer 9. The settings of a RoomServer: options, class fields, or assignments.
 */

import { type Check, checkBoolean, checkCount, type Checks, countFrom } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Relay } from '../../relay/relay.ts'
import { checkRelay } from '../../relay/relay-checks.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { ROOM_NAME_MAX } from '../wire.ts'

/** How much history is kept of each room. */
export interface HistoryOptions {
  /** At least this number of messages. @default 1000 */
  readonly count?: number | undefined
  /** Older ones may be forgotten. @default 3 600 000 ms: one hour */
  readonly age?: Milliseconds | undefined
}

/** The settings of a RoomServer. They take effect with the next `listen` if not said otherwise. */
export interface RoomServerSettings {
  /**
   * What carries messages, history and presence to other processes: a Relay, or its URL, such as
   * `redis://localhost`. A relay that is given as an object is not closed with the server.
   *
   * @default 'memory:', which is this server alone
   */
  relay: Relay | string
  /**
   * Are messages of rooms kept, so that a client that comes back gets what it has missed? A number
   * says how many of each room. If `relay` is an object, its own options say how much is kept.
   *
   * @default false
   */
  history: boolean | number | HistoryOptions
  /**
   * Are the members of a room told which members come and go? `on_presence` is called in any case.
   *
   * @default false
   */
  presence: boolean
  /**
   * Is a message without a room answered with `{"echo": …}`, and text that is not JSON with `Echo:
   * …`? Otherwise it is sent to all other members of this process.
   *
   * @default true
   */
  echo: boolean
  /**
   * Does a member that is too slow lose messages of rooms, instead of its connection?
   *
   * - Takes effect: with the next message.
   *
   * @default false
   */
  volatile: boolean
  /**
   * How many messages a member may send in a second. Twice as many may come at once. Further
   * messages wait. If too many wait, the member is disconnected with the code 1008.
   *
   * - Takes effect: with the next member.
   *
   * @default Infinity
   */
  rate: number
  /**
   * How many bytes may wait to be sent to a member. A member with that many is slow. (The parameter
   * `send-buffer-size` of a URL wins.)
   *
   * @default 1 MiB
   */
  member_buffer: Bytes
  /** The longest name of a room, in UTF-16 units. @default 256 */
  room_name_size: number
  /** How many rooms one member may be in. @default 100 */
  rooms_per_member: number
  /** How many rooms there may be in this process. @default 10 000 */
  max_rooms: number
  /** How many members there may be in this process. @default 100 000 */
  max_members: number
  /**
   * What the topics of the relay begin with. Servers with different topics share no rooms.
   *
   * @default 'rooms:'
   */
  topic: string
}

export type RoomServerValues = Readonly<RoomServerSettings>

export const ROOM_SERVER_DEFAULTS: RoomServerValues = {
  relay: 'memory:',
  history: false,
  presence: false,
  echo: true,
  volatile: false,
  rate: Infinity,
  member_buffer: 1024 * 1024,
  room_name_size: 256,
  rooms_per_member: 100,
  max_rooms: 10_000,
  max_members: 100_000,
  topic: 'rooms:',
}

/**
 * The longest `topic`: with the name of a room it must fit into the 1024 bytes of a relay's topic.
 */
const TOPIC_MAX = 100

const HISTORY_CHECKS: Checks<HistoryOptions> = { count: countFrom(1), age: countFrom(1) }

export const ROOM_SERVER_CHECKS: {
  readonly [Name in keyof RoomServerSettings]: Check<RoomServerSettings[Name]>
} = {
  relay: checkRelay,
  history: checkHistory,
  presence: checkBoolean,
  echo: checkBoolean,
  volatile: checkBoolean,
  rate: checkRate,
  member_buffer: countFrom(1),
  room_name_size: checkNameSize,
  rooms_per_member: countFrom(1),
  max_rooms: countFrom(1),
  max_members: countFrom(1),
  topic: checkTopic,
}

function checkHistory(name: string, value: unknown): boolean | number | HistoryOptions {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return checkCount(name, value, 1)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError(name, 'true, false, a number, or { count, age }', value)
  checkOptions(name, value, HISTORY_CHECKS)
  const { count = 1000, age = 3_600_000 } = value as HistoryOptions
  return { count, age }
}

function checkRate(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0))
    throw new InvalidArgumentError(name, 'a number of messages a second, or Infinity', value)
  return value
}

function checkNameSize(name: string, value: unknown): number {
  const size = checkCount(name, value, 1)
  if (size > ROOM_NAME_MAX) throw new InvalidArgumentError(name, `at most ${ROOM_NAME_MAX}`, value)
  return size
}

function checkTopic(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > TOPIC_MAX)
    throw new InvalidArgumentError(name, `text of at most ${TOPIC_MAX} characters`, value)
  return value
}
