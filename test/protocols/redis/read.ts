/** What comes of bytes that arrive in pieces, as a stream shows them to the codec. */

import { Buffer } from 'node:buffer'
import { Replies } from '../../../src/protocols/redis/reply-parser.ts'

/**
 * All that comes of these bytes if they arrive in pieces that end there. It shows the delimiter
 * what a stream would: what was not consumed, and no more than 64 KiB.
 */
export function read(
  text: string | Buffer,
  cuts: readonly number[] = [],
  delimiter = new Replies(),
  found: unknown[] = [],
): unknown[] {
  const bytes = Buffer.from(text as string)
  let start = 0
  for (const end of [...cuts, bytes.length]) {
    let from = start
    let wanted = 1
    while (end - start >= wanted && end > start) {
      const shown = Math.min(end, start + 65536)
      const cut = delimiter.cut(bytes, start, shown, from)
      if (typeof cut === 'number') {
        if (cut <= shown - start) throw new Error('it must ask for more')
        if (cut > 65536) throw new Error('a message is too long for a stream')
        wanted = cut
        from = shown
        continue
      }
      if (cut.size < 1 || cut.size > shown - start) throw new Error('a cut must be within')
      start += cut.size
      from = start
      wanted = 1
      if (cut.data[0] !== undefined) found.push(cut.data[0])
    }
  }
  return found
}
