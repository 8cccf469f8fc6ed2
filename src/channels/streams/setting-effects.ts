/**
 * Layer 5. What happens at once when a setting of a stream is assigned. A setting that is not in
 * the table is looked at when it is needed.
 */

import { UnsupportedOptionError } from '../../errors.ts'
import type { Network, Transport } from '../../transport.ts'
import type { Life } from '../life.ts'
import type { StreamReading } from './stream-reading.ts'
import type { KeepAlive, StreamValues } from './stream-settings.ts'

/** The link of the stream. */
export interface EffectsOwner {
  readonly life: Life
  readonly values: StreamValues
  readonly transport: Transport | undefined
  readonly reading: Pick<StreamReading, 'cutAnew' | 'release'>
  /** Other timeouts are due now. */
  watchAnew(): void
}

type Effect = (link: EffectsOwner) => void

const cutAnew: Effect = link => link.reading.cutAnew()
const watchAnew: Effect = link => link.watchAnew()

export const EFFECTS: Readonly<Partial<Record<keyof StreamValues, Effect>>> = {
  encoding: cutAnew,
  regex_search: cutAnew,
  overflow: cutAnew,
  buffer_size: cutAnew,
  // In the next turn, because no hook may run inside an assignment.
  backpressure: ({ life, values, reading }) => {
    if (!values.backpressure) life.drive.wake({ turn: () => reading.release('backpressure') })
  },
  no_delay: ({ transport, values }) => transport?.set_no_delay(values.no_delay),
  keep_alive: ({ transport, values }) => transport && setKeepAlive(transport, values),
  read_timeout: watchAnew,
  write_timeout: watchAnew,
  idle_timeout: watchAnew,
  max_lifetime: watchAnew,
}

export function setKeepAlive(
  transport: Transport,
  { keep_alive }: Pick<StreamValues, 'keep_alive'>,
): void {
  if (typeof keep_alive !== 'object') transport.set_keep_alive(keep_alive)
  else transport.set_keep_alive(keep_alive.after, keep_alive)
}

/** Throws UnsupportedOptionError if the network cannot do that. */
export function checkCanKeepAlive(network: Network, value: StreamValues['keep_alive']): void {
  const { interval, count } = value as Partial<KeepAlive>
  if (network.has_keep_alive_probes !== false || (interval ?? count) === undefined) return
  const needs = 'Node 24 or later for interval and count. Bun and Deno have their own'
  throw new UnsupportedOptionError('keep_alive', needs)
}
