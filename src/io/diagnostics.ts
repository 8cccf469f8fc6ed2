/**
 * Layer 2. What an engine does, told to the outside: by node:diagnostics_channel, and on stderr
 * with NODE_DEBUG=sluice.
 *
 * Rules:
 * 1. Without a subscriber and without NODE_DEBUG, an event costs two comparisons.
 * 2. If a subscriber throws, Node calls the others, and the error becomes an uncaught exception.
 */

import { channel } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import type { EventName } from '../core/tally.ts'
import { messageOf } from '../errors.ts'

const CHANNELS = {
  open: channel('sluice:open'),
  listen: channel('sluice:listen'),
  accept: channel('sluice:accept'),
  connect: channel('sluice:connect'),
  drop: channel('sluice:drop'),
  timeout: channel('sluice:timeout'),
  overflow: channel('sluice:overflow'),
  close: channel('sluice:close'),
} satisfies Record<EventName, unknown>

const debug = debuglog('sluice')

/** For Bun, whose `debug` does not tell whether it is on. */
const isAsked = /\bsluice\b/i.test(String(process.env['NODE_DEBUG']))

/** Tells subscribers and the debug log. `who` is the sluice channel that it happened to. */
export function publish(event: EventName, who: object, details: object): void {
  const { [event]: to } = CHANNELS
  if (to.hasSubscribers) to.publish({ channel: who, ...details })
  if (debug.enabled || isAsked)
    debug(
      '%s',
      [
        event,
        nameOf(who),
        ...Object.entries(details).map(([name, value]) => `${name}=${text(value)}`),
      ].join(' '),
    )
}

function nameOf(who: {
  readonly name?: string
  readonly remote_address?: unknown
  readonly local_address?: unknown
}): string {
  const address = who.remote_address ?? who.local_address
  return address === undefined ? `${who.name}` : `${who.name} ${text(address)}`
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(':')
  return value instanceof Error ? messageOf(value) : String(value)
}
