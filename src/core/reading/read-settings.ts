/**
 * Layer 1. One object for equal read settings, so that they are compared by identity.
 */

import type { Encoding } from '../../types.ts'
import type { ReadSettings } from '../delimiters.ts'

const known = {
  search: new Map<Encoding | null, ReadSettings>(),
  match: new Map<Encoding | null, ReadSettings>(),
}

/** Returns the same object whenever it is called with the same arguments. */
export function readSettings(encoding: Encoding | null, regex_search: boolean): ReadSettings {
  const byEncoding = regex_search ? known.search : known.match
  let settings = byEncoding.get(encoding)
  if (settings === undefined) byEncoding.set(encoding, (settings = { encoding, regex_search }))
  return settings
}
