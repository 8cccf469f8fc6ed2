/**
 * Layer 9. The options of a channel to a room server, each with its default and its check.
 */

import type { Complete } from '../../core/option-types.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Milliseconds } from '../../types.ts'

/** The options of a channel to a room server. */
// Source: Metafor `Channel`, the first five. Differs: milliseconds, not seconds.
export interface RoomChannelOptions {
  /** The subprotocols of WebSocket that the server may choose from. @default [] */
  readonly protocols?: readonly string[] | undefined
  /**
   * Does the channel connect again by itself when it has lost its connection? Messages that are
   * sent meanwhile wait.
   *
   * @default false
   */
  readonly auto_reconnect?: boolean | undefined
  /**
   * The longest first wait before connecting again. It doubles with each attempt that fails. The
   * wait itself is any time up to that, at random, so that the clients of a server that has died do
   * not come back all at once.
   *
   * @default 1000 ms
   */
  readonly reconnect_delay?: Milliseconds | undefined
  /** The longest of all waits; never less than `reconnect_delay`. @default 30 000 ms */
  readonly max_reconnect_delay?: Milliseconds | undefined
  /** After this many attempts that failed it gives up. `null` means never. @default null */
  readonly max_reconnect_attempts?: number | null | undefined
  /** Only a connection that lasted this long resets the attempts and the wait. @default 5000 ms */
  readonly lasting_time?: Milliseconds | undefined
  /**
   * After a connection was closed with one of these codes, the channel does not connect again: it
   * would be closed again.
   *
   * @default [1002, 1003, 1007, 1008, 1010], the peers do not understand or accept each other
   */
  readonly final_codes?: readonly number[] | undefined
  /** The longest that connecting may take. @default 10 000 ms */
  readonly connect_timeout?: Milliseconds | undefined
  /** The longest that `close()` waits for the server. @default 5000 ms */
  readonly close_timeout?: Milliseconds | undefined
  /** The most messages that may wait for a connection. @default 1000 */
  readonly max_queued?: number | undefined
  /** The most bytes of messages that may wait for a connection. @default 1 MiB */
  readonly max_queued_bytes?: Bytes | undefined
  /** The longest that a message may wait; then it is dropped. @default 300 000 ms, five minutes */
  readonly max_queued_age?: Milliseconds | undefined
  /** The name that others see in a room, if the server has presence. @default made by the server */
  readonly name?: string | undefined
}

/** The options, all of them. */
export interface ChannelValues extends Complete<Omit<RoomChannelOptions, 'name'>> {
  readonly name: string | undefined
}

type Check = readonly [isValid: (value: any) => boolean, expected: string]

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const TIME: Check = [value => typeof value === 'number' && value >= 0, 'milliseconds, 0 or more']
const DELAY: Check = [value => TIME[0](value) && value !== Infinity, `${TIME[1]}, but finite`]
const COUNT: Check = [
  value => value === Infinity || (Number.isInteger(value) && value >= 0),
  'a whole number, or Infinity',
]
const LIMIT: Check = [value => value === null || COUNT[0](value), 'a whole number, or null']
const FLAG: Check = [value => typeof value === 'boolean', 'true or false']
const NAMES: Check = [value => Array.isArray(value) && value.every(isText), 'an array of names']
const CODES: Check = [
  value => Array.isArray(value) && value.every(Number.isInteger),
  'an array of codes',
]
const TEXT: Check = [isText, 'text that is not empty']

/** Each option with its default and its check. */
const TABLE: { readonly [Name in keyof ChannelValues]: readonly [ChannelValues[Name], Check] } = {
  protocols: [[], NAMES],
  auto_reconnect: [false, FLAG],
  reconnect_delay: [1000, DELAY],
  max_reconnect_delay: [30_000, DELAY],
  max_reconnect_attempts: [null, LIMIT],
  lasting_time: [5000, TIME],
  final_codes: [[1002, 1003, 1007, 1008, 1010], CODES],
  connect_timeout: [10_000, TIME],
  close_timeout: [5000, TIME],
  max_queued: [1000, COUNT],
  max_queued_bytes: [1024 * 1024, COUNT],
  max_queued_age: [300_000, TIME],
  name: [undefined, TEXT],
}

/** The names of the options. */
export const CHANNEL_OPTIONS: readonly string[] = Object.keys(TABLE)

/**
 * The options with their defaults; `others` are options that the shell has checked. Throws
 * InvalidArgumentError. (It proposes no name: that would be a tenth of the browser's file.)
 */
export function channelValues(
  options: RoomChannelOptions,
  others: readonly string[],
): ChannelValues {
  const names = [...CHANNEL_OPTIONS, ...others]
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError('new Channel: options', `among ${names}`, unknown)
  const values: Record<string, unknown> = {}
  for (const [name, [fallback, [isValid, expected]]] of Object.entries(TABLE)) {
    const { [name as keyof RoomChannelOptions]: value = fallback } = options
    if (value !== fallback && !isValid(value))
      throw new InvalidArgumentError(`new Channel: ${name}`, expected, value)
    values[name] = value
  }
  return values as unknown as ChannelValues
}
