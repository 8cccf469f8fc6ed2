/**
 * Layer 1. One object for equal read settings, so that they are compared by identity.
 */

import type { Encoding } from '../../types.ts'
import type { ReadSettings } from '../delimiters.ts'

const known = {
  hold: {
    search: new Map<Encoding | null, ReadSettings>(),
    match: new Map<Encoding | null, ReadSettings>(),
  },
  skip: {
    search: new Map<Encoding | null, ReadSettings>(),
    match: new Map<Encoding | null, ReadSettings>(),
  },
}

/** Returns the same object whenever it is called with the same arguments. */
export function readSettings(
  encoding: Encoding | null,
  regex_search: boolean,
  overflow: 'hold' | 'skip' = 'hold',
): ReadSettings {
  const byEncoding = known[overflow][regex_search ? 'search' : 'match']
  let settings = byEncoding.get(encoding)
  if (settings === undefined)
    byEncoding.set(encoding, (settings = { encoding, regex_search, overflow }))
  return settings
}
