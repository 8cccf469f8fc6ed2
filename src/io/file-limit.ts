/**
 * Layer 2. How many descriptors the process may have open.
 *
 * Node raises the soft limit to the hard one when it starts, and tells nobody; on Linux the system
 * does. Elsewhere there is no way to know without an addon.
 */

import { readFileSync } from 'node:fs'

/** Infinity where the system does not say, or there is no limit. */
export function fileLimit(path = '/proc/self/limits'): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'latin1'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
