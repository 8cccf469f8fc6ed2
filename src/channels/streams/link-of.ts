/**
 * Layer 5. The link of a stream.
 *
 * It is no private method, nor are the functions below class Stream: the object of every stream
 * would be 8 bytes larger for each, and V8 (since Node 22) keeps that of a class with settings as
 * fields in a table of all its properties. To look at that table costs 7 ns; so the stream that
 * receives, from whose hooks nearly all calls come, is known without.
 */

import { LIFE, type Life } from '../life.ts'
import { receiver } from './receiver.ts'
import type { StreamLink } from './stream-link.ts'

export function linkOf(stream: { readonly [LIFE]: Life }): StreamLink {
  return (stream === receiver.channel ? receiver.driver : stream[LIFE].driver) as StreamLink
}
