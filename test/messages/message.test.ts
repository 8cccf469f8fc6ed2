import t from 'tap'
import { checkPosts, Message, toMessage } from '../../src/messages/message.ts'
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
    [{ hello: 'world' }, /^message: there is no option "hello"; there are: type, msgid, seq, data/],
    [{ msgid: 5, dta: 'x' }, /^message: there is no option "dta"; did you mean data\?$/],
    [{ type: 'control', id: 5 }, /^message: there is no option "id"; there are:/],
    [[1, 2], /^message must be an object, \{ type, msgid, seq, data, addr, time, value \}; got/],
    [new Map(), /^message must be an object/],
    [{ msgid: 5n }, /^message: msgid must be an integer of 32 bits; got 5n$/],
    [{ msgid: Symbol('id') }, /^message: msgid must be an integer of 32 bits; got Symbol\(id\)$/],
  ] as const)
    for (const make of [toMessage, (fields: never) => new Message(fields)])
      t.match(
        fault(() => make(wrong as never)),
        said,
      )
  // A message without a word of what was meant; null was an error of JavaScript.
  for (const wrong of ['text', '', 5, null, true, Buffer.from('bytes'), () => {}, Symbol('s')])
    t.match(
      fault(() => new Message(wrong as never)),
      /^message must be an object, \{ type, |^message: there is no option "0"/,
    )
  const inherited = Object.create({ more: 1 }) as object
  t.equal(new Message(Object.assign(inherited, { msgid: 1 })).msgid, 1)
  t.equal(toMessage({ type: 'control', msgid: 1 }).data.length, 0)
})

t.test('what do_post_all takes', async t => {
  checkPosts([new Message()], new Set([1]))
  for (const wrong of [
    [null, []],
    [[{ data: 'x' }], []],
    [[], null],
  ] as const)
    t.match(
      fault(() => checkPosts(wrong[0] as never, wrong[1] as never)),
      /^do_post_all: (messages must be an array of messages|addrs must be an array or a set); got/,
    )
})
