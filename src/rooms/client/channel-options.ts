/**
 * Layer 9. The options of a channel to a room server, each with its default and its check.
 */

import { checkOptions } from '../../core/option-names.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Milliseconds } from '../../types.ts'

/** The options of a channel to a room server. */
// Source: Metafor `Channel`, the first five. Differs: milliseconds, not seconds.
export interface RoomChannelOptions {
  /** The subprotocols of WebSocket that the server may choose from. @default [] */
  readonly protocols?: readonly string[]
  /**
   * Does the channel connect again by itself when it has lost its connection? Messages that are
   * sent meanwhile wait.
   *
   * @default false
   */
  readonly auto_reconnect?: boolean
  /**
   * The longest first wait before connecting again. It doubles with each attempt that fails. The
   * wait itself is any time up to that, at random, so that the clients of a server that has died do
   * not come back all at once.
   *
   * @default 1000 ms
   */
  readonly reconnect_delay?: Milliseconds
  /** The longest of all waits. @default 30 000 ms, or `reconnect_delay` if that is longer */
  readonly max_reconnect_delay?: Milliseconds
  /** After this many attempts that failed it gives up. `null` means never. @default Infinity */
  readonly max_reconnect_attempts?: number | null
  /** Only a connection that stood this long starts the attempts and waits anew. @default 5000 ms */
  readonly lasting_time?: Milliseconds
  /**
   * After a connection was closed with one of these codes, the channel does not connect again: it
   * would be closed again.
   *
   * @default [1002, 1003, 1007, 1008, 1010], the peers do not understand or accept each other
   */
  readonly final_codes?: readonly number[]
  /** The longest that connecting may take. @default 10 000 ms */
  readonly connect_timeout?: Milliseconds
  /** The longest that `close()` waits for the server. @default 5000 ms */
  readonly close_timeout?: Milliseconds
  /** The most messages that may wait for a connection. @default 1000 */
  readonly max_queued?: number
  /** The most bytes of messages that may wait for a connection. @default 1 MiB */
  readonly max_queued_bytes?: Bytes
  /** The longest that a message may wait; then it is dropped. @default 300 000 ms, five minutes */
  readonly max_queued_age?: Milliseconds
  /** The name that others see in a room, if the server has presence. @default made by the server */
  readonly name?: string
}

/** The options, all of them. */
export interface ChannelValues extends Required<Omit<RoomChannelOptions, 'name'>> {
  readonly max_reconnect_attempts: number
  readonly name: string | undefined
}

type Check = readonly [isValid: (value: any) => boolean, expected: string]

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const TIME: Check = [value => value >= 0 && typeof value === 'number', 'milliseconds, 0 or more']
const COUNT: Check = [
  value => value === Infinity || (Number.isInteger(value) && value >= 0),
  'a whole number, or Infinity',
]

const CHECKS: Readonly<Record<keyof ChannelValues, Check>> = {
  protocols: [value => Array.isArray(value) && value.every(isText), 'an array of names'],
  auto_reconnect: [value => typeof value === 'boolean', 'true or false'],
  reconnect_delay: TIME,
  max_reconnect_delay: TIME,
  max_reconnect_attempts: COUNT,
  lasting_time: TIME,
  final_codes: [
    value => Array.isArray(value) && value.every(Number.isInteger),
    'an array of codes',
  ],
  connect_timeout: TIME,
  close_timeout: TIME,
  max_queued: COUNT,
  max_queued_bytes: COUNT,
  max_queued_age: TIME,
  name: [isText, 'text that is not empty'],
}

/**
 * The options with their defaults. `others` are options of a shell, which checks them itself.
 * Throws InvalidArgumentError.
 */
export function channelValues(
  options: RoomChannelOptions,
  others: readonly string[],
): ChannelValues {
  checkOptions('new Channel', options, [...Object.keys(CHECKS), ...others])
  const given: Record<string, unknown> = {}
  for (const [name, [isValid, expected]] of Object.entries(CHECKS)) {
    let value = options[name as keyof RoomChannelOptions]
    if (value === undefined) continue
    if (value === null && name === 'max_reconnect_attempts') value = Infinity
    if (!isValid(value)) throw new InvalidArgumentError(`new Channel: ${name}`, expected, value)
    given[name] = value
  }
  const { reconnect_delay = 1000 } = options
  return {
    protocols: [],
    auto_reconnect: false,
    reconnect_delay,
    max_reconnect_delay: Math.max(30_000, reconnect_delay),
    max_reconnect_attempts: Infinity,
    lasting_time: 5000,
    final_codes: [1002, 1003, 1007, 1008, 1010],
    connect_timeout: 10_000,
    close_timeout: 5000,
    max_queued: 1000,
    max_queued_bytes: 1024 * 1024,
    max_queued_age: 300_000,
    name: undefined,
    ...given,
  }
}
