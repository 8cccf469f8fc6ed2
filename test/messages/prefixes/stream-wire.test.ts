import t from 'tap'
import { Params } from '../../../src/messages/params.ts'
import {
  checkChild,
  checkPart,
  done,
  errorText,
  invalid,
  readErrorText,
  readReply,
  readRequest,
  reply,
  request,
} from '../../../src/messages/prefixes/stream-wire.ts'
import { thrown } from '../../kit.ts'
import { fault, stage } from '../kit.ts'

t.test('the bytes of the original', async t => {
  t.equal(
    request(103n).toString('hex'),
    '0100000000000000000000000000000000000067000000000000000000000000000000',
  )
  t.equal(readRequest(request(103n)), 103n)
  t.equal(
    reply(105n, 103n).toString('hex'),
    '69000000000000006700000000000000ffffffffffffffff0000000000000000',
  )
  t.equal(readReply(reply(-1n, 0n)), -1n)
  t.equal(done(105n).toString('hex'), '6900000000000000')
})

t.test('errors, and what is no message', async t => {
  t.equal(readErrorText(errorText('too much é')), 'too much é')
  t.equal(readErrorText(errorText('')), '')
  for (const garbage of ['', '00', 'ff'.repeat(8), '00'.repeat(8), '0400000002000000'])
    t.type(readErrorText(Buffer.from(garbage, 'hex')), 'string')
  for (const size of [0, 2, 26])
    t.equal(
      thrown(() => readRequest(Buffer.alloc(size))),
      'ERR_STREAM',
    )
  t.equal(
    thrown(() => readReply(Buffer.alloc(23))),
    'ERR_STREAM',
  )
  for (const at of [0, 18]) {
    const wrong = request(1n)
    wrong[at] = 7
    t.equal(
      thrown(() => readRequest(wrong)),
      'ERR_STREAM',
    )
  }
  t.match(invalid('this'), { code: 'ERR_STREAM', message: 'stream+: this' })
})

t.test('what it stands before', async t => {
  checkChild(Params.of(new Map(), 'stream+rate+pub+tcp'))
  t.equal(
    thrown(() => checkChild(Params.of(new Map(), 'stream+tcp'))),
    'ERR_INVALID_URL',
  )
})

stage(t, 'what history passes through', async (t, { context }) => {
  const check = (url: string): void => {
    const part = context.init(url)
    checkPart(part.params, 'request', part)
  }
  check('mem://')
  check('deflate+tcp://h:1')
  // Packets are lost without a word, and each packet of a stranger opened another reader.
  for (const wrong of ['tcp://h:1;frame=line', 'udp://h:1', 'deflate+udp://h:1'])
    t.match(
      fault(() => check(wrong)),
      'request must be a channel that carries msgid and seq and loses nothing',
    )
})
