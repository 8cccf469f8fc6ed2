/**
 * Layer 5. The settings of a stream as properties: what a program reads and assigns. Their values
 * are in its link.
 */

import { checkDelimiter } from '../../core/delimiters.ts'
import type { State } from '../../types.ts'
import { defineSettings, type Setting, settingsFrom } from '../settings.ts'
import type { StreamLink } from './stream-link.ts'
import { STREAM_CHECKS, type StreamValues } from './stream-settings.ts'

/** Defines them on a prototype. `linkOf`: the link of one of its objects. */
export function defineAccessors<Owner extends { readonly state: State }>(
  prototype: Owner,
  linkOf: (stream: Owner) => StreamLink,
): void {
  const settings = settingsFrom<Owner>(
    STREAM_CHECKS,
    stream => linkOf(stream).values,
    (stream, name, value) => linkOf(stream).assign(name as keyof StreamValues, value),
  )
  const { read_delimiter, tls } = settings as Record<string, Setting<Owner>>
  defineSettings<Owner>(prototype, {
    ...settings,
    tls: { ...(tls as Setting<Owner>), get: stream => linkOf(stream).told.tls },
  })
  // A program may read and assign it at every message. What all settings share, V8 cannot inline.
  Object.defineProperty(prototype, 'read_delimiter', {
    get(this: Owner) {
      return linkOf(this).values.read_delimiter
    },
    set(this: Owner, value: unknown) {
      const link = linkOf(this)
      if (link.life.state === 'active') link.delimit(checkDelimiter(value))
      else (read_delimiter as Setting<Owner>).set(this, value)
    },
  })
}
