/** Two layers over one relay in memory, as two processes have them. */

import type { LayerEvent } from '../../../src/envelope/envelope-transports.ts'
import { type Layer, type LayerMember } from '../../../src/envelope/layers/layer.ts'

export interface Heard extends LayerMember {
  readonly log: string[]
}

/** A member that logs the types of what it gets. */
export function member(channel_name: string): Heard {
  const log: string[] = []
  return {
    channel_name,
    subscriptions: new Set(),
    log,
    receive_event: ({ t }: LayerEvent) => void log.push(t),
    on_error: (error: Error) => void log.push(String((error as { code?: string }).code)),
  }
}

export const event = (t: string): LayerEvent => ({ type: 'websocket.send', t })

export type { Layer }
