import t from 'tap'
import { Message, toMessage } from '../../src/messages/message.ts'
import { fault } from './kit.ts'

t.test('a message has defaults', async t => {
  const { type, msgid, seq, data, addr, time, value } = new Message()
  t.strictSame(
    [type, msgid, seq, data.length, addr, time, value],
    ['data', 0, 0n, 0, undefined, 0, undefined],
  )
})

t.test('what post takes', async t => {
  const message = new Message({
    type: 'control',
    msgid: 7,
    seq: 8n,
    data: 'grün',
    addr: 3,
    time: 5,
  })
  t.match(toMessage({ msgid: 7, data: 'a' }), { type: 'data', msgid: 7, data: Buffer.from('a') })
  t.equal(message.data.length, 5, 'text is UTF-8')
  t.equal(toMessage('hello').data.toString(), 'hello')
  const bytes = Uint8Array.of(0, 1, 2, 3).subarray(1, 3)
  t.strictSame([...toMessage(bytes).data], [1, 2], 'a part of a larger array')
  const buffer = Buffer.from('x')
  t.equal(toMessage(buffer).data, buffer, 'a Buffer is taken as it is')
  for (const wrong of [null, undefined, 5])
    t.match(
      fault(() => toMessage(wrong as never)),
      /^post: message must be a message, text or bytes; got/,
    )
  t.match(
    fault(() => toMessage({ data: 5 as never })),
    'message: data must be a string or a Uint8Array; got 5',
  )
})

// A seq that was a number passed through `direct`, and was a TypeError without a code where it was
// packed.
t.test('invalid fields', async t => {
  t.match(
    fault(() => new Message({ seq: 5 as never })),
    'message: seq must be a bigint of 64 bits, as 5n; got 5',
  )
  t.match(
    fault(() => new Message({ seq: 2n ** 63n })),
    'message: seq must be a bigint of 64 bits',
  )
  for (const msgid of [1.5, 2 ** 31, NaN, '5'])
    t.match(
      fault(() => new Message({ msgid: msgid as never })),
      'message: msgid must be an integer of 32 bits; got',
    )
  t.match(
    fault(() => new Message({ type: 'date' as never })),
    'message: type must be one of data, control, state, channel; got "date"',
  )
})

// `post({ hello: 'world' })` sent an empty message, and so did `post({ dta: 'x' })`. A `msgid` that
// was a bigint, as `seq` is one, was an error of JavaScript about mixing.
t.test('an object that is no message', async t => {
  for (const [wrong, said] of [
    [{ hello: 'world' }, /^post: there is no option "hello"; there are: type, msgid, seq, data/],
    [{ msgid: 5, dta: 'x' }, /^post: there is no option "dta"; did you mean data\?$/],
    [[1, 2], /^post: options must be an object/],
    [new Map(), /^post: options must be an object/],
    [{ msgid: 5n }, /^message: msgid must be an integer of 32 bits; got 5n$/],
    [{ msgid: Symbol('id') }, /^message: msgid must be an integer of 32 bits; got Symbol\(id\)$/],
  ] as const)
    t.match(
      fault(() => toMessage(wrong as never)),
      said,
    )
  t.equal(toMessage({ type: 'control', msgid: 1 }).data.length, 0)
})
