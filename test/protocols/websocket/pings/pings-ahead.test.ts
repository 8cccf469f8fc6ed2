/** Pings that wait behind messages are found, each once, however the bytes are cut. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { RecvBuffer } from '../../../../src/core/reading/recv-buffer.ts'
import { PingsAhead } from '../../../../src/protocols/websocket/pings/pings-ahead.ts'
import { frame, masked } from '../kit.ts'

const ALL = Buffer.concat([
  masked('one'),
  masked('first', { opcode: 9 }),
  masked(Buffer.alloc(300)),
  masked('pong', { opcode: 10 }),
  masked('', { opcode: 9 }),
  masked('frag', { fin: false }),
  masked('last', { opcode: 9 }),
])

t.test('each once, in their order; and once more in their turn', async t => {
  for (const size of [1, 2, 7, 100, ALL.length]) {
    const pings = new PingsAhead()
    const buffer = new RecvBuffer()
    const found: string[] = []
    let received = 0
    for (let at = 0; at < ALL.length; at += size) {
      const chunk = ALL.subarray(at, at + size)
      buffer.append(Buffer.from(chunk))
      received += chunk.length
      for (const { payload, when } of pings.find(buffer, 0, received, true))
        found.push(`${payload} ${when}`)
    }
    t.same(found, ['first ahead', ' ahead', 'last ahead'], `in pieces of ${size}`)
    t.equal(buffer.length, ALL.length, 'nothing is taken out')
    t.same(
      [1, 2, 3, 4].map(() => pings.wasTold()),
      [true, true, true, false],
    )
  }
})

t.test('from where the messages begin that were not delivered', async t => {
  const pings = new PingsAhead()
  const buffer = new RecvBuffer()
  const ping = masked('p', { opcode: 9 })
  buffer.append(Buffer.concat([ping, ping]))
  t.equal(pings.find(buffer, ping.length, 2 * ping.length, true).length, 1)
  buffer.skip(2 * ping.length)
  buffer.append(ping)
  t.equal(pings.find(buffer, 0, 3 * ping.length, true).length, 1)
  pings.forget()
  t.equal(pings.wasTold(), false)
})

t.test('of a server, which does not mask', async t => {
  const buffer = new RecvBuffer()
  const ping = frame('p', { opcode: 9 })
  buffer.append(ping)
  t.match(new PingsAhead().find(buffer, 0, ping.length, false), [{ payload: Buffer.from('p') }])
})

t.test('what will be refused, or is not complete, ends the search', async t => {
  const ping = masked('p', { opcode: 9 })
  for (const wrong of [
    frame('not masked'),
    masked('x', { form: 9 }),
    masked(Buffer.alloc(126), { opcode: 9 }),
    masked('long').subarray(0, 4),
    masked('x'.repeat(1000)).subarray(0, 20),
  ]) {
    const buffer = new RecvBuffer()
    const bytes = Buffer.concat([ping, wrong, ping].slice(0, wrong.length < 25 ? 2 : 3))
    buffer.append(bytes)
    t.equal(new PingsAhead().find(buffer, 0, bytes.length, true).length, 1)
  }
})
