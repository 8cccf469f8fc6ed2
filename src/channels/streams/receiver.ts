/**
 * Layer 5. The stream that receives: its reads are being delivered.
 */

import type { Driver } from '../hooks.ts'
import type { Life } from '../life.ts'

interface Receiver {
  /** Undefined if none receives. */
  channel: object | undefined
  driver: Driver | undefined
}

export const receiver: Readonly<Receiver> = { channel: undefined, driver: undefined }

export function setReceiver(life: Life | undefined): void {
  const known: Receiver = receiver
  known.channel = life?.channel
  known.driver = life?.driver
}
