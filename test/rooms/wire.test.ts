/**
 * The wire protocol of rooms: what is made of each kind of message, and what each message of the
 * other side is taken for.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  bytesOf,
  commandOf,
  decode,
  encode,
  encodeFor,
  fieldsOf,
  isSeq,
  replyOf,
  roomOf,
  textOrBytes,
} from '../../src/rooms/wire.ts'

const BYTES = Buffer.from([1, 255])

t.test('a message without a room', async t => {
  for (const [message, sent] of [
    ['text', 'text'],
    ['', ''],
    ['{"a":1}', '{"a":1}'],
    [{ a: 1 }, '{"a":1}'],
    [{}, '{}'],
    [Object.create(null), '{}'],
    [[1, 2], '[1,2]'],
    [[], '[]'],
    [5, '5'],
    [5n, '5'],
    [true, 'true'],
    [null, 'null'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ] as const)
    t.equal(encode(message), sent, sent)
  t.equal(encode(BYTES), BYTES)
  t.same(encode(BYTES.buffer.slice(BYTES.byteOffset, BYTES.byteOffset + 2)), new Uint8Array(BYTES))
  t.same(encode(new DataView(Uint8Array.of(7, 8).buffer, 1)), Uint8Array.of(8))
})

t.test('a message to a room', async t => {
  for (const [message, sent] of [
    ['text', { message: 'text' }],
    ['', { message: '' }],
    ['{"a":1}', { a: 1 }],
    // Its room was lost: the text was sent as it is.
    ['[1]', { message: '[1]' }],
    ['123', { message: '123' }],
    ['null', { message: 'null' }],
    [{ a: 1 }, { a: 1 }],
    [{ a: 1, _room: 'another' }, { a: 1 }],
    [{}, {}],
    [[1, 2], { data: [1, 2] }],
    [5, { data: 5 }],
    [5n, { data: '5' }],
    [false, { data: false }],
    [null, { data: null }],
    [new Date(0), { data: '1970-01-01T00:00:00.000Z' }],
    [{ toJSON: () => ({ b: 2 }) }, { b: 2 }],
  ] as const) {
    const _room = '__proto__'
    t.strictSame(JSON.parse(encodeFor(_room, message)), { ...(sent as object), _room })
  }
  const message = { a: 1 }
  encodeFor('r', message)
  t.strictSame(message, { a: 1 }, 'the message itself is left alone')
  t.throws(() => encodeFor('r', BYTES), { name: 'TypeError', message: /^bytes cannot be sent/ })
  t.throws(() => encodeFor('r', BYTES.buffer), TypeError)
})

t.test('what has no form is refused', async t => {
  const circle: { self?: object } = {}
  circle.self = circle
  class Empty {}
  for (const message of [
    undefined,
    () => 1,
    Symbol('x'),
    circle,
    new Map([[1, 2]]),
    new Set(),
    Promise.resolve(1),
    new Empty(),
    Object.create(Object.create(Object.create(null), { constructor: { value: undefined } })),
    { toJSON: () => undefined },
    [1n],
  ]) {
    t.throws(() => encode(message), TypeError)
    t.throws(() => encodeFor('r', message), TypeError)
  }
  t.throws(() => encode(new Map()), /a Map without fields has no JSON/)
})

t.test('what comes', async t => {
  for (const value of [5, null, 'x', true, [1], { a: { b: 1 } }])
    t.same(decode(JSON.stringify(value)), value)
  for (const text of ['', 'hello', '{', '{"a":1} ', 'NaN'])
    t.same(decode(text), text === '{"a":1} ' ? { a: 1 } : text)
  t.equal(decode(BYTES), BYTES)
  t.equal(textOrBytes(Buffer.from('\ufeffgrüße')), '\ufeffgrüße')
  t.equal(textOrBytes(BYTES), BYTES)
  t.same(fieldsOf({ a: 1 }), { a: 1 })
  for (const value of [[1], null, 1, 'x', BYTES, undefined]) t.equal(fieldsOf(value), undefined)
  t.equal(bytesOf('x'), undefined)
})

t.test('the room of a message', async t => {
  t.equal(roomOf({ _room: 'r' }), 'r')
  for (const _room of ['', 5, null, ['r'], undefined]) t.equal(roomOf({ _room }), undefined)
  for (const seq of [0, 1, 2 ** 53 - 1]) t.ok(isSeq(seq))
  for (const seq of [-1, 0.5, 2 ** 53, NaN, '1', null]) t.notOk(isSeq(seq))
})

t.test('commands', async t => {
  const of = (text: string) => commandOf(JSON.parse(text))
  t.strictSame(of('{"type":"_join","room":"r"}'), { type: '_join', room: 'r' })
  t.strictSame(of('{"type":"_join","room":"r","seq":7,"client":"c","name":"n"}'), {
    type: '_join',
    room: 'r',
    seq: 7,
    client: 'c',
    name: 'n',
  })
  t.strictSame(of('{"type":"_join","room":5,"seq":"7","client":1,"name":null}'), {
    type: '_join',
    room: '',
  })
  t.strictSame(of('{"type":"_leave","room":"__proto__"}'), { type: '_leave', room: '__proto__' })
  t.equal(of('{"type":"join","room":"r"}'), undefined)
  t.equal(of('{"type":"_join","room":"r","_room":"r"}'), undefined, 'a message to a room')
})

t.test('replies', async t => {
  for (const reply of [
    { status: 'joined', room: 'r' },
    { status: 'joined', room: 'r', seq: 5 },
    { status: 'joined', room: 'r', seq: 5, client: 'c' },
    { status: 'left', room: 'r' },
    { status: 'refused', room: 'r', reason: 'no' },
    { status: 'gap', room: 'r', from: 1, to: 5 },
    { status: 'seen', room: 'r', seq: 5 },
    { status: 'presence', room: 'r', came: ['a'], went: [] },
    { status: 'dropped', room: 'r', reason: 'no' },
    { status: 'dropped', reason: 'no' },
    { status: 'closing', code: 1008, reason: 'no' },
  ]) {
    t.equal(replyOf(reply), reply, reply.status)
    t.equal(replyOf({ ...reply, _room: 'r' }), undefined, 'a message of a room')
  }
  for (const message of [
    { status: 'joined' },
    { status: 'joined', room: 5 },
    { status: 'joined', room: 'r', seq: '5' },
    { status: 'joined', room: 'r', client: 5 },
    { status: 'gap', room: 'r', from: 1 },
    { status: 'seen', room: 'r' },
    { status: 'presence', room: 'r', came: ['a'] },
    { status: 'presence', room: 'r', came: 'a', went: [] },
    { status: 'presence', room: 'r', came: [1], went: [] },
    { status: 'closing' },
    { status: 'dropped', room: 5 },
    { status: 'toString', room: 'r' },
    { status: '__proto__', room: 'r' },
    { status: 5, room: 'r' },
    { room: 'r' },
  ])
    t.equal(replyOf(message), undefined, JSON.stringify(message))
})
