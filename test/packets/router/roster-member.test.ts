import t from 'tap'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { RosterMember } from '../../../src/packets/router/roster-member.ts'

class FakePeer implements Peer {
  readonly address = 'here'
  readonly got: string[] = []
  room = Infinity
  send(text: string): boolean {
    if (this.room-- <= 0) return false
    this.got.push(text)
    return true
  }
  end(): void {}
}

const make = (count = 3, size = 100, ofOne = 3): RosterMember =>
  new RosterMember('ann', { count, size, ofOne })

t.test('what cannot be sent waits, in order', async t => {
  const ann = make()
  const peer = new FakePeer()
  t.equal(ann.send('1', 'bob'), true)
  ann.peer = peer
  t.equal(ann.send('2', 'bob'), true, 'not before the first one')
  t.strictSame([peer.got, ann.waiting], [[], 2])
  peer.room = 1
  t.equal(ann.flush(), 1)
  peer.room = 2
  t.equal(ann.flush(), 1)
  ann.send('3', 'bob')
  t.strictSame([peer.got, ann.waiting], [['1', '2', '3'], 0])
  peer.room = 0
  ann.send('4', 'bob')
  t.strictSame([ann.clear(), ann.waiting, ann.flush()], [1, 0, 0])
})

t.test('a greeting comes before what waits', async t => {
  const ann = make()
  const peer = new FakePeer()
  ann.send('1', 'bob')
  ann.peer = peer
  ann.greet('2', 'router')
  peer.room = 0
  ann.greet('3', 'router')
  peer.room = Infinity
  t.equal(ann.flush(), 2)
  t.strictSame(peer.got, ['2', '1', '3'])
})

t.test('limits: by count, by size, of one sender', async t => {
  const few = make(2)
  t.strictSame(
    ['a', 'b', 'c'].map(text => few.send(text, 'bob')),
    [true, true, false],
  )
  const small = make(10, 5)
  t.strictSame(
    ['abc', 'def', 'gh'].map(text => small.send(text, 'bob')),
    [true, false, true],
  )
  const fair = make(10, 100, 2)
  t.strictSame(
    [1, 2, 3].map(n => fair.send(`${n}`, 'bob')),
    [true, true, false],
  )
  t.equal(fair.send('4', 'carl'), true, 'a flood of one leaves room for others')
  fair.peer = new FakePeer()
  t.equal(fair.flush(), 3)
  fair.peer = undefined
  t.strictSame(
    [1, 2].map(n => fair.send(`${n}`, 'bob')),
    [true, true],
  )
})

t.test('here, elsewhere, or away', async t => {
  const ann = make()
  t.equal(ann.isHere, false)
  ann.peer = new FakePeer()
  t.equal(ann.isHere, true)
  ann.peer = Object.assign(new FakePeer(), { isRouter: true })
  t.equal(ann.isHere, false)
})
