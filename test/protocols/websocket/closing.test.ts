/** The closing handshake by its table, and what its codes may be. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  checkGoodbye,
  nextStage,
  packGoodbye,
  readGoodbye,
  type Stage,
} from '../../../src/protocols/websocket/closing.ts'
import { Fault } from '../../../src/protocols/websocket/incoming.ts'
import { thrown } from '../../kit.ts'

t.test('each side closes, or both at once; a second close changes nothing', async t => {
  const after = (...events: ('send' | 'receive')[]): Stage =>
    events.reduce<Stage>(nextStage, 'open')
  t.equal(after('send'), 'sent')
  t.equal(after('receive'), 'received')
  t.equal(after('send', 'receive'), 'done')
  t.equal(after('receive', 'send'), 'done')
  t.equal(after('send', 'send'), 'sent')
  t.equal(after('receive', 'receive'), 'received')
  t.equal(after('send', 'receive', 'receive', 'send'), 'done')
})

const GOOD = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
const BAD = [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535]

t.test('codes that may be sent are sent and understood, all others neither', async t => {
  for (const code of GOOD) {
    t.same(checkGoodbye(code, 'why'), { code, reason: 'why' })
    t.same(readGoodbye(packGoodbye({ code, reason: 'why' })), { code, reason: 'why' })
  }
  for (const code of BAD) {
    t.equal(
      thrown(() => checkGoodbye(code, '')),
      'ERR_INVALID_ARGUMENT',
      `${code}`,
    )
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    t.match(readGoodbye(payload), { code: 1002, reason: /code/ })
  }
  for (const code of [1000.5, NaN, '1000', undefined])
    t.equal(
      thrown(() => checkGoodbye(code, '')),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('a reason has at most 123 bytes, and is UTF-8', async t => {
  t.equal(checkGoodbye(1000, 'x'.repeat(123)).reason.length, 123)
  t.equal(
    thrown(() => checkGoodbye(1000, 'x'.repeat(124))),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => checkGoodbye(1000, 'ä'.repeat(62))),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => checkGoodbye(1000, 5)),
    'ERR_INVALID_ARGUMENT',
  )
  const fault = readGoodbye(Buffer.from([0x03, 0xe8, 0xff]))
  t.ok(fault instanceof Fault)
  t.match(fault, { code: 1007 })
})

t.test('no code at all, and half a code', async t => {
  t.same(readGoodbye(Buffer.alloc(0)), { code: 1005, reason: '' })
  t.equal(packGoodbye({ code: 1005, reason: '' }).length, 0)
  t.match(readGoodbye(Buffer.from([3])), { code: 1002 })
})
