/**
 * Layer 2. How many descriptors the process may have open.
 *
 * Node raises the soft limit to the hard one when it starts, and has no call that returns it. On
 * Linux it is in a file of the system. On other systems only an addon could know it.
 */

import { readFileSync } from 'node:fs'

/** Infinity if there is no limit, or none that is known. */
export function fileLimit(path = '/proc/self/limits'): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'latin1'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
