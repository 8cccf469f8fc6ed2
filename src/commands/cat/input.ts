/**
 * Layer 10. What is sent of standard input: its lines, or its chunks as they come.
 */

import { Buffer } from 'node:buffer'
import type { Target } from './copy.ts'
import { Lines } from './lines.ts'

/** Sends everything to the target. Rejects if the input fails, or has a line that is too long. */
export async function send(
  input: AsyncIterable<Uint8Array>,
  target: Target,
  isRaw: boolean,
): Promise<void> {
  const lines = new Lines()
  for await (const chunk of input) {
    // All of them at once: what was read and does not go, because the channel closes, is counted.
    let waits: Promise<void> | undefined
    for (const data of isRaw ? [Buffer.from(chunk)] : lines.add(chunk))
      waits = target.post({ data })
    if (waits !== undefined) await waits
  }
  const data = lines.rest()
  if (data !== undefined) await target.post({ data })
}
