/**
 * Layer 7. `stream` of a client: the entries of a stream, one after the other, for ever. It goes on
 * where it was after a loss of the connection.
 */

import type { Buffer } from 'node:buffer'
import { type Checks, checkText, wholeFrom } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import { type Argument, checkArgument } from './command.ts'
import { isLoss, RedisError } from './errors.ts'
import type { StreamEntry } from './shapes.ts'
import type { Commands } from './typed-commands.ts'

/** Where a loop over a stream begins, and for whom. */
export interface StreamReadOptions {
  /**
   * The id after which it begins. `0` is everything; `$` what is added from now on.
   *
   * @default '$'; of a group, what the consumer has pending, and then what no consumer got
   */
  readonly from?: string | undefined
  /** The most entries of one read. @default 100 */
  readonly count?: number | undefined
  /** A group, and who reads for it. Acknowledge each entry with `xack`. */
  readonly group?: Argument | undefined
  /**
   * The name of the consumer in the group. Each loop needs one of its own: what is pending under a
   * name comes to every loop that has it.
   *
   * @default 'sluice'
   */
  readonly consumer?: Argument | undefined
}

const CHECKS: Checks<StreamReadOptions> = {
  from: checkText,
  count: wholeFrom(1),
  group: checkArgument,
  consumer: checkArgument,
}

/** How long one read waits: so the server sees now and then that somebody is there. */
const BLOCK: Milliseconds = 30_000

/** The default of `count`. */
const COUNT = 100

/** Throws InvalidArgumentError. */
export function checkStream(key: unknown, options: unknown): void {
  checkText('stream: key', key)
  checkOptions('stream', options, CHECKS)
  const { group, consumer } = options as StreamReadOptions
  if (group === undefined && consumer !== undefined)
    throw new InvalidArgumentError('stream: group', 'given, if there is a consumer', undefined)
}

/**
 * The entries. The loop ends by `break`, and throws when the client is closed. `line.ready` settles
 * when there is a connection, or rejects if there will be none.
 */
export async function* readStream<Text extends string | Buffer>(
  client: Commands<Text>,
  line: { readonly ready: Promise<void> },
  key: string,
  options: StreamReadOptions,
): AsyncGenerator<StreamEntry<Text>, void, undefined> {
  const { group } = options
  let from = options.from ?? (group === undefined ? '$' : '0')
  // Of a group: what is pending comes first. It was delivered, and not acknowledged.
  let isPending = group !== undefined
  for (;;) {
    try {
      // Between two reads from `$` entries would be lost.
      if (from === '$' && group === undefined) from = await lastId(client, key)
      const after = group === undefined || isPending ? from : '>'
      const entries = await read(client, key, after, options)
      for (const entry of entries) {
        from = entry.id
        yield entry
      }
      if (entries.length === 0) isPending = false
    } catch (error) {
      if (!isLoss(error)) throw error
      await line.ready
      // The server may have delivered some that were lost on their way.
      isPending = group !== undefined
    }
  }
}

/** The entries after an id; with a group `>` asks for new ones, and an id for those pending. */
async function read<Text extends string | Buffer>(
  client: Commands<Text>,
  key: string,
  from: string,
  { count = COUNT, group, consumer = 'sluice' }: StreamReadOptions,
): Promise<readonly StreamEntry<Text>[]> {
  const how = { count, block: BLOCK }
  const found =
    group === undefined
      ? await client.xread({ [key]: from }, how)
      : await client.xreadgroup(group, consumer, { [key]: from }, how)
  return found[key] ?? []
}

/** The id of the last entry that was added, also if it is deleted by now. */
async function lastId(client: Commands<any>, key: string): Promise<string> {
  try {
    const info = await client.call('XINFO', 'STREAM', key)
    const entries = info instanceof Map ? info : new Map(pairs(info))
    return String(entries.get('last-generated-id'))
  } catch (error) {
    if (error instanceof RedisError && /no such key/i.test(error.message)) return '0-0'
    throw error
  }
}

function* pairs(flat: readonly unknown[]): Generator<[string, unknown]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [String(flat[i]), flat[i + 1]]
}
