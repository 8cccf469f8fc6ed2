/**
 * Layer 4. How `console.log` and `util.inspect` show a channel: its state, where it is connected,
 * what has gone through it, and the fields of its class. Without this they would show the engine
 * with all of its channels, and nothing of this one.
 */

/** Where Node looks for a method that shows an object. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** The third argument of such a method, and the second. */
export type Inspect = (value: unknown, options?: object) => string
export interface InspectOptions {
  readonly depth?: number | null
}

const SHOWN = [
  'state',
  'local_address',
  'remote_address',
  'bytes_read',
  'bytes_written',
  'bytes_queued',
  'server',
] as const

/** The text for an object that is no channel. */
export function inspectFacts(
  object: object,
  facts: object,
  depth: number,
  options: InspectOptions,
  inspect: Inspect,
): string {
  const title = object.constructor.name
  if (depth < 0) return `[${title}]`
  const left = options.depth == null ? options.depth : options.depth - 1
  return `${title} ${inspect(facts, { ...options, depth: left })}`
}

/** The text for a channel. `isMade`: its constructor has come far enough to be asked for more. */
export function inspectChannel(
  channel: object,
  isMade: boolean,
  depth: number,
  options: InspectOptions,
  inspect: Inspect,
): string {
  const title = channel.constructor.name
  const one = channel as Record<string, unknown>
  // Not those under a symbol: the inner half has the engine.
  const { name = isMade ? one.name : title, ...fields } = Object.fromEntries(Object.entries(one))
  const shown: Record<string, unknown> = name === title ? {} : { name }
  for (const key of isMade ? SHOWN : []) if (one[key] !== undefined) shown[key] = one[key]
  if (isMade && one.channels instanceof Set) shown.channels = one.channels.size
  return inspectFacts(channel, { ...shown, ...fields }, depth, options, inspect)
}
