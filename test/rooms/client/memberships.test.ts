/** What a client remembers of its rooms, across connections. */

import t from 'tap'
import { Faults } from '../../../src/rooms/client/errors.ts'
import { Handlers } from '../../../src/rooms/client/handlers.ts'
import { Memberships } from '../../../src/rooms/client/memberships.ts'

function make(name?: string): { rooms: Memberships; told: string[] } {
  const told: string[] = []
  const handlers = new Handlers(() => {})
  handlers.add('gap', (room, from, to) => told.push(`gap ${room} ${from} ${to}`))
  handlers.add('presence', (room, came, went) => told.push(`presence ${room} +${came} -${went}`))
  handlers.add('error', error => told.push(error.message))
  return { rooms: new Memberships(name, handlers, new Faults('ws://a', () => 'open')), told }
}

t.test('rooms', async t => {
  const { rooms } = make()
  t.ok(rooms.add('__proto__', undefined))
  t.notOk(rooms.add('__proto__', 5), 'it is there already')
  t.ok(rooms.add('b', 0))
  t.same([rooms.has('__proto__'), rooms.has('toString')], [true, false])
  t.same(rooms.all(), ['__proto__', 'b'])
  t.same(rooms.joins(), [
    '{"type":"_join","room":"__proto__"}',
    '{"type":"_join","room":"b","seq":0}',
  ])
  t.ok(rooms.delete('__proto__'))
  t.notOk(rooms.delete('__proto__'))
  t.equal(rooms.leaveOf('b'), '{"type":"_leave","room":"b"}')
})

t.test('each message with a number is new once', async t => {
  const { rooms } = make()
  rooms.add('r', undefined)
  const isNew = (room: string, _seq: unknown): unknown => {
    const fields = { a: 1, _seq, _room: room }
    const answer = rooms.isNew(room, fields)
    return answer ? fields : false
  }
  t.strictSame(isNew('r', 5), { a: 1 })
  t.equal(rooms.lastSeq('r'), 5)
  t.equal(isNew('r', 5), false)
  t.equal(isNew('r', 4), false)
  t.strictSame(isNew('r', 9), { a: 1 }, 'numbers need not be consecutive')
  t.strictSame(isNew('r', undefined), { a: 1, _seq: undefined }, 'a server without history')
  t.strictSame(isNew('r', 'x'), { a: 1, _seq: 'x' }, 'a field of the program')
  t.strictSame(isNew('elsewhere', 1), { a: 1 })
  t.equal(rooms.lastSeq('elsewhere'), undefined)
})

// Found by random calls: a client that left a room and joined it again at once took what the server
// had said in between for an answer to the second join. With `seq: 0` it then missed everything.
t.test('what was said before it left is of no use', async t => {
  const { rooms, told } = make()
  for (let n = 0; n < 2; n++) {
    rooms.add('r', 0)
    rooms.delete('r')
    rooms.leaveOf('r')
  }
  rooms.add('r', 0)
  const isNew = (_seq: number): boolean => rooms.isNew('r', { _seq, _room: 'r' })
  for (let n = 0; n < 2; n++) {
    rooms.replied({ status: 'joined', room: 'r', seq: 8 })
    t.equal(isNew(9), false)
    rooms.replied({ status: 'refused', room: 'r', reason: 'no' })
    rooms.replied({ status: 'left', room: 'r' })
  }
  t.same([rooms.has('r'), rooms.lastSeq('r'), told], [true, 0, []])
  t.same([isNew(7), isNew(9)], [true, true])
  rooms.leaveOf('r')
  rooms.joins()
  t.equal(isNew(10), true, 'a new connection has answered everything')
})

t.test('replies', async t => {
  const { rooms, told } = make('ann')
  rooms.add('r', undefined)
  rooms.replied({ status: 'joined', room: 'r' })
  rooms.replied({ status: 'left', room: 'r' })
  t.equal(rooms.lastSeq('r'), undefined)
  rooms.replied({ status: 'joined', room: 'r', seq: 5, client: 'c' })
  t.equal(rooms.joinOf('r'), '{"type":"_join","room":"r","seq":5,"client":"c","name":"ann"}')
  rooms.replied({ status: 'seen', room: 'r', seq: 7 })
  rooms.replied({ status: 'seen', room: 'r', seq: 6 })
  t.equal(rooms.lastSeq('r'), 7)
  rooms.replied({ status: 'gap', room: 'r', from: 8, to: 12 })
  t.equal(rooms.lastSeq('r'), 12)
  rooms.replied({ status: 'joined', room: 'r', seq: 3 })
  t.equal(rooms.lastSeq('r'), 3, 'the server has begun anew')
  rooms.replied({ status: 'joined', room: 'elsewhere', seq: 3 })
  rooms.add('s', undefined)
  rooms.replied({ status: 'seen', room: 's', seq: 6 })
  t.equal(rooms.lastSeq('s'), 6)
  t.same(told, ['gap r 8 12', 'gap r 1 3'])
})

t.test('presence', async t => {
  const { rooms, told } = make()
  rooms.add('r', undefined)
  rooms.replied({ status: 'presence', room: 'r', came: ['ann', 'bob'], went: [] })
  rooms.replied({ status: 'presence', room: 'r', came: ['eve'], went: ['bob', 'nobody'] })
  t.same(rooms.names('r'), ['ann', 'eve'])
  t.same(rooms.names('elsewhere'), [])
  t.same(told.splice(0), ['presence r +ann,bob -', 'presence r +eve -bob'])
  rooms.joins()
  t.same(rooms.names('r'), ['ann', 'eve'], 'until a new connection says more')
  rooms.replied({ status: 'presence', room: 'r', came: ['dan', 'ann'], went: [] })
  t.same(rooms.names('r'), ['ann', 'dan'])
  t.same(told.splice(0), ['presence r +dan -eve'], 'who went meanwhile')
  rooms.replied({ status: 'presence', room: 'r', came: ['ann'], went: ['nobody'] })
  t.same(told, [], 'nothing has changed')
})

// A server that makes up names would fill the memory.
t.test('the names of a room are bounded', async t => {
  const { rooms, told } = make()
  rooms.add('r', undefined)
  const came = Array.from({ length: 100_001 }, (_, n) => `n${n}`)
  rooms.replied({ status: 'presence', room: 'r', came, went: [] })
  rooms.replied({ status: 'presence', room: 'r', came: ['late'], went: ['n0'] })
  t.equal(rooms.names('r').length, 100_000)
  t.notOk(rooms.names('r').includes('n100000'))
  t.same(told.slice(1), ['presence r +late -n0'])
})

t.test('a room that is refused is not joined again', async t => {
  const { rooms, told } = make()
  rooms.add('r', undefined)
  rooms.replied({ status: 'refused', room: 'r', reason: 'full' })
  t.same(rooms.all(), [])
  t.same(told, ['ws://a (open): the room "r" was refused: "full"; you are not in it'])
})
