/** What several scenarios do with their probes. */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../../src/types.ts'
import type { Probe } from './probe.ts'
import type { World } from './world.ts'

/** Bytes without a short period, in which a mistake could hide. */
export function pattern(size: Bytes): Buffer {
  if (size > made.length)
    made = Buffer.from(
      Uint8Array.from(
        { length: size },
        (_, index) => (index * 7 + (index >> 8) * 13 + (index >> 16)) & 0xff,
      ),
    )
  return Buffer.from(made.subarray(0, size))
}

/** The longest so far: a shorter one is the beginning of it. */
let made = Buffer.alloc(0)

/**
 * Writes pieces as a well-behaved program does: after a false it waits for `drained`. Stops when it
 * has written `least` bytes and was made to wait once. (A kernel may hold megabytes.)
 */
export function pour(
  probe: Probe,
  least: Bytes,
  stopped: () => void,
): { sent: Buffer[]; waits: number } {
  const poured = { sent: [] as Buffer[], waits: 0 }
  const pieces = pattern(64 * 1024)
  const go = (): void => {
    while (poured.waits === 0 || poured.sent.length * 16 * 1024 < least) {
      const begin = (poured.sent.length * 16 * 1024) % pieces.length
      poured.sent.push(pieces.subarray(begin, begin + 16 * 1024))
      if (!probe.write(poured.sent.at(-1)!)) return void poured.waits++
    }
    stopped()
  }
  probe.hooks.drained = go
  go()
  return poured
}

/** Sends back what comes, and stops reading while it cannot send. Ends when the peer has ended. */
export function echo(probe: Probe): void {
  probe.hooks.received = () => {
    if (!probe.write(probe.last)) probe.pause()
  }
  probe.hooks.drained = () => probe.flow()
  probe.hooks.ended = () => probe.end()
  probe.flow()
}

/** Makes every call once; none of them may throw. */
export function useAll(probe: Probe): void {
  const { transport } = probe
  transport.cork()
  probe.write('nobody gets this')
  transport.uncork()
  probe.pause()
  probe.flow()
  probe.end()
  transport.set_no_delay(true)
  transport.set_keep_alive(false)
}

/** Writes, and waits until the system has taken it: at once, or with `drained`. */
export async function writeThrough(
  world: World,
  probe: Probe,
  data: string | Buffer,
): Promise<void> {
  const before = probe.count('drained')
  if (!probe.write(data)) await world.until(() => probe.count('drained') > before)
}
