/**
 * Layer 5. broadcast: the same data for many connections.
 *
 * Text is encoded once for each encoding that is in use, and all runs of the write path share those
 * bytes (core/writing/write-run.ts). Each connection sends once in the turn, whatever else was
 * written to it.
 */

import { types } from 'node:util'
import { checkOptions } from '../../core/options.ts'
import { textBytes } from '../../core/writing/text-bytes.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Data, Encoding } from '../../types.ts'
import { LIFE } from '../life.ts'
import { linkOf } from '../streams/link-of.ts'
import { Stream } from '../streams/stream.ts'

/** The options of `server.broadcast`. */
export interface BroadcastOptions {
  /** A connection that gets nothing, or several. A connection of another server changes nothing. */
  readonly except?: Stream | Iterable<Stream> | undefined
}

/** Returns the number of connections that it was written to. See Server.broadcast. */
export function broadcast(
  connections: ReadonlySet<Stream>,
  data: Data,
  options: BroadcastOptions,
): number {
  const skipped = skippedBy(options)
  const bytesFor = encoded(connections, data)
  let count = 0
  for (const connection of connections) {
    if (!mayWrite(connection) || skipped?.has(connection) === true) continue
    connection.write(bytesFor(connection))
    count++
  }
  return count
}

/** Is it open, and has our side not ended? */
function mayWrite(connection: Stream): boolean {
  return connection[LIFE].state === 'active' && linkOf(connection).isSideOpen
}

/** Not a property of the connection: V8 looks its name up at each use, for each member. */
function encodingOf(connection: Stream): Encoding {
  return linkOf(connection).values.encoding ?? 'utf8'
}

/** Says what each connection gets. All of it is checked before anything is written. */
function encoded(connections: ReadonlySet<Stream>, data: Data): (connection: Stream) => Data {
  if (types.isUint8Array(data)) return () => data
  if (typeof data !== 'string')
    throw new InvalidArgumentError('broadcast: data', 'a string or a Uint8Array', data)
  const texts = new Map<Encoding, Uint8Array>()
  for (const connection of connections) {
    const encoding = encodingOf(connection)
    if (!texts.has(encoding)) texts.set(encoding, textBytes('broadcast: data', data, encoding))
  }
  return connection => texts.get(encodingOf(connection)) ?? data
}

/** Who gets nothing. Throws InvalidArgumentError for an invalid option. */
export function skippedBy(options: BroadcastOptions): ReadonlySet<unknown> | undefined {
  checkOptions('broadcast', options, ['except'])
  const { except } = options
  if (except === undefined) return undefined
  if (except instanceof Stream) return new Set([except])
  if (typeof except === 'object' && except !== null && Symbol.iterator in except)
    return new Set(except)
  throw new InvalidArgumentError('broadcast: except', 'a connection, or several', except)
}
