/** One channel and who is at its other end: asking, plain, confirming. */

import t from 'tap'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { PacketLine, type LineOwner } from '../../../src/packets/lines/packet-line.ts'
import type { Party } from '../../../src/packets/lines/party.ts'
import { Packet, toOf } from '../../../src/packets/packet.ts'
import { scene, type World } from '../../kit.ts'
import { act, FakeChannel, numbersOf, tell, upTo } from '../kit.ts'

function make({ engine }: World, limit = 10_000) {
  const channel = new FakeChannel()
  const log: string[] = []
  const owner: LineOwner = {
    greet: () => void log.push('greet'),
    knock: () => void log.push('knock'),
    partyOf: toOf,
    deliver: (_, from, { data }) => void log.push(`${from} ${data.n}`),
    word: (packet_type, receiver_id, data) =>
      new Packet({ packet_type, sender_id: 'mephisto', receiver_id, data: { ...data } }),
    report: error => void log.push(error.message),
  }
  const budget = new Budget(limit, 1e9, 1e9)
  const line = new PacketLine(channel, owner, { engine, budget, stream: 's' })
  const connect = (): void => {
    channel.alive = true
    line.becomeAlive()
  }
  return { channel, line, log, budget, connect, owner }
}

/** How far a party says it is. */
const at = (stream: string, number: number) => ({ stream, number })

scene(t, 'a router whose first word is not that of ours is plain', async (t, world) => {
  const { channel, line, log, connect } = make(world)
  line.send(tell(0), 'ann')
  connect()
  line.send(tell(1), 'ann')
  await world.pump()
  t.strictSame([log, channel.sent.length, line.mode], [['greet'], 0, 'asking'])
  line.receive(act(5), 'ann')
  t.equal(log.at(-1), 'ann 5')
  await world.pump()
  t.strictSame([numbersOf(channel.sent), line.mode], [[0, 1], 'plain'])
  t.strictSame(
    channel.sent.map(({ place }) => place),
    [undefined, undefined],
  )
  line.send(tell(2), 'ann')
  await world.pump()
  t.strictSame(numbersOf(channel.sent), [0, 1, 2])
  line.becomePlain()
  connect()
  line.send(tell(3), 'ann')
  await world.pump()
  t.strictSame([channel.sent.length, line.mode], [4, 'plain'], 'it is remembered')
  t.strictSame(line.stats, {
    channel_id: 'fake',
    is_alive: true,
    queued: 0,
    sent: 4,
    received: 1,
    lost: 0,
    retries: 0,
    opened: 2,
    mode: 'plain',
  })
  line.end()
})

scene(t, 'a router that confirms: packets wait until their party is there', async (t, world) => {
  const { channel, line, connect, budget } = make(world)
  connect()
  line.send(tell(0), 'ann')
  line.becomeConfirming()
  line.becomeConfirming()
  line.send(tell(1), 'ann')
  line.send(tell(2, 'bob'), 'bob')
  await world.pump()
  t.strictSame(channel.take(), [])
  const ann = line.party('ann')!
  line.said(ann, { confirms: null, sends: at('a', 0) }, true)
  await world.pump()
  const [answer, ...rest] = channel.take()
  t.equal(
    answer,
    'confirm mephisto→ann {"confirms":{"stream":"a","number":0},' +
      '"sends":{"stream":"s.0","number":0}}',
  )
  t.match(rest, [/"n":0} s\.0#1$/, /"n":1} s\.0#2$/])
  line.send(tell(3), 'ann')
  await world.pump()
  t.match(channel.take(), [/"n":3} s\.0#3$/])
  t.equal(budget.count, 4)
  line.said(ann, { confirms: at('s.0', 2) }, false)
  t.equal(budget.count, 2)
  line.said(ann, { confirms: null }, false)
  line.said(line.party('bob')!, {}, true)
  await world.pump()
  t.strictSame(channel.take(), ['tell mephisto→bob {"n":2}'], 'bob does not confirm')
  line.send(tell(4, 'bob'), 'bob')
  line.send(tell(5), undefined)
  await world.pump()
  t.equal(channel.take().length, 2)
  line.said(line.party('carl')!, { confirms: at('x', 1) }, false)
  t.equal(line.end(), 1)
})

scene(t, 'the connection breaks: it goes on where the party is', async (t, world) => {
  const { channel, line, connect, log } = make(world)
  connect()
  line.becomeConfirming()
  const ann = line.party('ann')!
  line.said(ann, { confirms: null, sends: at('a', 0) }, true)
  for (const n of upTo(4)) line.send(tell(n), 'ann')
  await world.pump()
  t.equal(channel.take().length, 5)
  channel.alive = false
  connect()
  t.equal(line.mode, 'asking')
  line.send(tell(4), 'ann')
  await world.pump()
  t.strictSame(channel.take(), [], 'nobody is there')
  line.becomeConfirming()
  line.said(ann, { confirms: at('s.0', 3), sends: at('a', 0) }, true)
  await world.pump()
  t.match(channel.take(), [/^confirm/, /"n":3} s\.0#4/, /"n":4} s\.0#5/])
  connect()
  line.send(tell(5), 'ann')
  line.becomePlain()
  await world.pump()
  t.strictSame(channel.take(), ['tell mephisto→ann {"n":5}'], 'what was handed on is forgotten')
  t.strictSame(log, ['greet', 'greet', 'greet'])
  line.end()
})

scene(t, 'in: numbers, confirmations, gaps', async (t, world) => {
  const { channel, line, connect, log } = make(world)
  connect()
  line.becomeConfirming()
  const ann = line.party('ann')!
  const from = (number: number): Packet => act(number).at(at('a', number))
  line.receive(from(1), 'ann')
  t.strictSame([log.splice(0), ann.isAsked], [['greet'], true], 'nobody has introduced it')
  line.receive(from(2), 'ann')
  t.match(channel.take(), [/^alive mephisto→ann .*"confirms":null/], 'it is asked once')
  line.said(ann, { confirms: null, sends: at('a', 0) }, true)
  await world.pump()
  t.match(channel.take(), [/^confirm/])
  for (const n of [1, 2, 2]) line.receive(from(n), 'ann')
  t.strictSame(log.splice(0), ['ann 1', 'ann 2'])
  await world.pump()
  t.strictSame(channel.take(), [])
  await world.advance(60)
  t.strictSame(channel.take(), ['confirm mephisto→ann {"confirms":{"stream":"a","number":2}}'])
  for (const n of upTo(64)) line.receive(from(n + 3), 'ann')
  await world.pump()
  t.match(channel.take(), [/"number":66/], 'so many are confirmed at once')
  channel.room = 0
  line.receive(from(100), 'ann')
  t.equal(ann.isAsked, false, 'the question was not taken')
  line.end()
  line.receive(from(67), 'ann')
  connect()
  t.equal(log.length, 64)
})

scene(t, 'a handler that is at work when the line ends', async (t, world) => {
  const { line, connect, owner, channel } = make(world)
  connect()
  line.becomeConfirming()
  line.said(line.party('ann')!, { confirms: null, sends: at('a', 0) }, false)
  let done = (): void => {}
  owner.deliver = () => new Promise(go => (done = go))
  line.receive(act(1).at(at('a', 1)), 'ann')
  line.end()
  done()
  await world.advance(100)
  t.strictSame(channel.take(), [])
})

scene(t, 'a party that sends without numbers does not confirm', async (t, world) => {
  const { channel, line, connect, log } = make(world)
  connect()
  line.becomeConfirming()
  line.send(tell(1), 'ann')
  line.receive(act(7), 'ann')
  line.receive(act(8), 'ann')
  await world.pump()
  t.strictSame(channel.take(), ['tell mephisto→ann {"n":1}'])
  t.strictSame(log, ['greet', 'ann 7', 'ann 8'])
  line.end()
})

scene(t, 'waiting for others', async (t, world) => {
  const { channel, line, connect } = make(world)
  connect()
  line.waitForOthers()
  line.send(tell(1), 'ann')
  await world.advance(100_000)
  t.strictSame([line.mode, channel.sent.length], ['asking', 0])
  line.becomePlain()
  await world.pump()
  t.equal(channel.sent.length, 1)
  line.end()
})

// A soak lost and doubled packets: routers, or what is between them, stood still for some seconds,
// and were taken for some that do not confirm. Now silence says nothing.
scene(t, 'a router that says nothing', async (t, world) => {
  const { channel, line, connect, log, budget } = make(world)
  const sent = (): string[] => channel.take().map(text => text.replace(/^tell mephisto→/, ''))
  line.send(tell(0), 'ann')
  connect()
  await world.advance(990)
  t.strictSame(sent(), [])
  await world.advance(100_000)
  t.strictSame([log, line.mode], [['greet', 'knock'], 'asking'])
  line.send(tell(1), 'ann')
  line.send(tell(0, 'bob'), 'bob')
  await world.pump()
  t.strictSame(sent(), ['ann {"n":0} s.0#1', 'ann {"n":1} s.0#2', 'bob {"n":0} s.1#1'])
  t.equal(budget.count, 3, 'they are kept')
  channel.alive = false
  line.send(tell(2), 'ann')
  connect()
  await world.advance(100_000)
  t.strictSame(sent(), ['ann {"n":2} s.0#3'], 'each is sent once')
  const [ann, bob] = ['ann', 'bob'].map(id => line.party(id)!) as [Party, Party]
  line.said(ann, { confirms: at('s.0', 1) }, false)
  t.equal(budget.count, 3)
  line.waitForOthers()
  line.send(tell(3), 'ann')
  await world.pump()
  t.strictSame([sent(), line.mode], [[], 'asking'], 'now it is known: somebody else must come')
  line.becomeConfirming()
  line.waitForOthers()
  line.said(ann, { confirms: at('s.0', 2), sends: at('a', 0) }, false)
  line.said(bob, {}, false)
  await world.pump()
  t.strictSame(sent(), ['ann {"n":2} s.0#3', 'ann {"n":3} s.0#4'], 'bob may have all')
  t.strictSame([budget.count, line.mode], [2, 'confirming'])
  line.end()
})

scene(t, 'it said nothing, and then that it is plain', async (t, world) => {
  const { channel, line, connect, budget } = make(world)
  line.send(tell(0), 'ann')
  connect()
  await world.advance(1000)
  t.match(channel.take(), [/"n":0} s\.0#1$/])
  channel.room = 0
  line.send(tell(1), 'ann')
  await world.pump()
  line.receive(act(1), 'ann')
  channel.room = 9
  await world.advance(100)
  t.strictSame([channel.take(), budget.count], [['tell mephisto→ann {"n":1}'], 0])
  line.end()
})

// The other end guesses, and the router between them is of another make.
scene(t, 'packets with places by a plain router', async (t, world) => {
  const { channel, line, connect, log } = make(world)
  connect()
  const from = (number: number, stream = 'a'): Packet => act(number).at(at(stream, number))
  for (const n of [1, 2, 2, 5, 4]) line.receive(from(n), 'ann')
  line.receive(from(3, 'another'), 'ann')
  await world.advance(100)
  t.strictSame([log, line.mode], [['greet', 'ann 1', 'ann 2', 'ann 5', 'ann 3'], 'plain'])
  t.strictSame(channel.take(), [], 'nothing is confirmed')
  line.end()
})

// An end that could not know how far the other was had gone on. The other waited for the gap to be
// filled, for ever.
scene(t, 'plain for a while, then confirming again', async (t, world) => {
  const { line, connect, log } = make(world)
  connect()
  line.becomeConfirming()
  const ann = line.party('ann')!
  line.said(ann, { confirms: null, sends: at('a', 0) }, false)
  line.receive(act(1).at(at('a', 1)), 'ann')
  connect()
  line.becomePlain()
  connect()
  line.becomeConfirming()
  line.said(ann, { confirms: null, sends: at('a', 7) }, false)
  line.receive(act(8).at(at('a', 8)), 'ann')
  t.strictSame(log.slice(-1), ['ann 8'])
  line.end()
})

// Packets that were sent before `waits` came behind those that were sent after it.
scene(
  t,
  'what was sent before it was known that others must come stays first',
  async (t, world) => {
    const { channel, line, connect, owner } = make(world)
    connect()
    line.send(tell(0), 'ann')
    line.send(tell(9), undefined)
    owner.partyOf = ({ data }: Packet): string | undefined => (data.n === 9 ? undefined : 'ann')
    line.waitForOthers()
    line.send(tell(1), 'ann')
    line.becomeConfirming()
    line.said(line.party('ann')!, { confirms: null, sends: at('a', 0) }, false)
    await world.pump()
    t.strictSame(numbersOf(channel.sent), [9, 0, 1], 'what is for the router is in no stream')
    line.end()
  },
)

scene(t, 'limits are told', async (t, world) => {
  const { line, connect, log, owner, budget } = make(world, 3)
  connect()
  for (const n of upTo(3)) t.equal(line.send(tell(n), 'ann'), true)
  t.equal(line.send(tell(3), 'ann'), false)
  line.party('bob')!.state = 'plain'
  let isFirst = true
  owner.partyOf = packet => {
    // With a place it is longer. It was accepted, so it stays.
    const to = isFirst ? 'bob' : toOf(packet)
    isFirst = false
    return to
  }
  line.becomeConfirming()
  t.strictSame([log.splice(0), budget.count], [['greet'], 3])
  owner.deliver = () => new Promise(() => {})
  for (const n of upTo(1200)) line.receive(act(n), 'bob')
  t.match(log.splice(0), [/packets of bob come faster than they are handled/])
  for (let n = line.parties.size; n < 100_000; n++) line.party(`p${n}`)
  line.receive(act(1), 'one more')
  t.match(log, [/more than 100000 agents/])
  t.equal(line.send(tell(1), 'one more'), false)
  line.end()
})
