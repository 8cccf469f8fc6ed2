/** Messages made small, and large again by zlib. */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import {
  deflateRules,
  type DeflateRules,
} from '../../../../src/protocols/websocket/deflate/deflate-options.ts'
import { Deflating } from '../../../../src/protocols/websocket/deflate/deflating.ts'
import { Inflating } from '../../../../src/protocols/websocket/deflate/inflating.ts'

const RULES = deflateRules(true) as DeflateRules

const done = (deflating: Deflating, bytes: Uint8Array): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    deflating.deflate(bytes, (error, result) =>
      result === undefined ? reject(error) : resolve(result),
    ),
  )

t.test('by itself, or together, in any window', async t => {
  const messages = ['one', 'one and two', 'x'.repeat(100_000)].map(text => Buffer.from(text))
  messages.push(randomBytes(50_000))
  for (const forgets of [true, false]) {
    for (const bits of [8, 9, 15]) {
      const deflating = new Deflating(forgets, bits, RULES)
      const inflating = new Inflating(forgets, bits, 1e6)
      const sizes: number[] = []
      for (const message of [...messages, ...messages]) {
        const bytes = await done(deflating, message)
        sizes.push(bytes.length)
        t.ok(message.equals((await inflating.inflate(bytes)) as Buffer))
      }
      if (!forgets) t.ok(sizes[4]! < sizes[0]! + 4, 'the second time is no larger')
      deflating.close()
      deflating.close()
    }
  }
})
