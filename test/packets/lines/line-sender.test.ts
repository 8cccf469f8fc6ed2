import t from 'tap'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { LineSender } from '../../../src/packets/lines/line-sender.ts'
import { Party } from '../../../src/packets/lines/party.ts'
import { Packet } from '../../../src/packets/packet.ts'
import { scene, type World } from '../../kit.ts'
import { FakeChannel, numbersOf, tell, upTo } from '../kit.ts'

function make({ engine }: World, limit = 1000) {
  const channel = new FakeChannel()
  const budget = new Budget(limit, 1e9, 1e9)
  const owner = {
    isOpen: () => true,
    confirmation: ({ id }: Party, isAnswer: boolean) =>
      new Packet({
        packet_type: 'confirm',
        sender_id: 'me',
        receiver_id: id,
        data: { n: isAnswer ? 1 : 0 },
      }),
  }
  const sender = new LineSender(channel, budget, engine, owner)
  const party = (id: string): Party => {
    const made = new Party(id, id, budget, {} as never)
    made.state = 'confirming'
    return made
  }
  channel.alive = true
  return { channel, budget, owner, sender, party }
}

scene(t, 'the queue, at the end of the turn', async (t, world) => {
  const { channel, budget, sender } = make(world, 2)
  t.strictSame(
    [0, 1, 2].map(n => sender.queue(tell(n))),
    [true, true, false],
  )
  t.strictSame([channel.sent.length, budget.count], [0, 2])
  await world.pump()
  t.strictSame([numbersOf(channel.sent), sender.sent, budget.count], [[0, 1], 2, 0])
  for (const n of [3, 4, 5]) sender.move(tell(n))
  t.equal(budget.count, 3, 'these had room before')
  await world.pump()
  t.strictSame(numbersOf(channel.sent.splice(2)), [3, 4, 5])
  sender.queue(tell(2))
  sender.end()
  sender.queue(tell(3))
  await world.pump()
  t.equal(channel.sent.length, 2)
})

scene(t, 'a packet that is not taken goes back to the front', async (t, world) => {
  const { channel, sender } = make(world)
  channel.room = 2
  for (const n of upTo(4)) sender.queue(tell(n))
  await world.pump()
  t.strictSame([numbersOf(channel.sent), sender.retries], [[0, 1], 1])
  channel.room = 1
  sender.queue(tell(4))
  await world.pump()
  t.equal(channel.sent.length, 2, 'not before its time')
  await world.advance(120)
  t.equal(channel.sent.length, 3)
  channel.room = Infinity
  channel.on_send_ready('fake')
  t.strictSame(numbersOf(channel.sent), upTo(5), 'or when the channel says so')
  channel.on_send_ready('fake')
  t.equal(sender.retries, 2)
  sender.end()
})

scene(t, 'no connection: it waits for one', async (t, world) => {
  const { channel, sender } = make(world)
  channel.alive = false
  sender.queue(tell(0))
  await world.advance(1000)
  t.strictSame([channel.sent.length, sender.retries], [0, 0])
  channel.connect()
  sender.go()
  t.equal(channel.sent.length, 1)
  channel.room = 0
  sender.queue(tell(1))
  await world.pump()
  channel.alive = false
  await world.advance(1000)
  t.equal(sender.retries, 1, 'while it is not alive nothing is tried')
  Object.assign(channel, { alive: true, room: Infinity })
  await world.advance(120)
  t.strictSame(numbersOf(channel.sent), [0, 1])
  channel.room = 0
  sender.queue(tell(2))
  await world.pump()
  sender.end()
  channel.on_send_ready('fake')
  await world.advance(120)
  t.equal(channel.sent.length, 2)
})

scene(t, 'streams have their turns', async (t, world) => {
  const { channel, sender, party } = make(world)
  const [ann, bob] = [party('ann'), party('bob')]
  for (const n of upTo(40)) ann.outgoing.push(tell(n, 'ann'))
  for (const n of upTo(20)) bob.outgoing.push(tell(n, 'bob'))
  sender.ready(ann)
  sender.ready(bob)
  await world.pump()
  const order = channel.sent.map(({ receiver_id }) => receiver_id![0]).join('')
  t.match(order, /^a{16}b{16}a{16}b{4}a{8}$/)
  t.strictSame([ann.outgoing.waiting, sender.sent], [0, 60])
  channel.sent.length = 0
  channel.room = 3
  for (const n of upTo(5)) ann.outgoing.push(tell(n, 'ann'))
  sender.ready(ann)
  await world.pump()
  t.equal(channel.sent.length, 3)
  sender.forget()
  channel.room = Infinity
  sender.go()
  t.equal(channel.sent.length, 3, 'nobody has said that it is there')
  sender.ready(ann)
  await world.pump()
  t.strictSame(numbersOf(channel.sent), upTo(5))
  sender.end()
})

scene(t, 'confirmations come first, also while it is not settled', async (t, world) => {
  const { channel, sender, owner, party } = make(world)
  const [ann, bob] = [party('ann'), party('bob')]
  owner.isOpen = () => false
  sender.queue(tell(7))
  sender.confirm(ann)
  sender.confirm(ann, true)
  sender.confirm(ann)
  sender.confirm(bob)
  channel.room = 1
  await world.pump()
  t.strictSame(channel.take(), ['confirm me→ann {"n":1}'])
  channel.room = Infinity
  channel.on_send_ready('fake')
  t.strictSame(channel.take(), ['confirm me→bob {"n":0}'])
  t.strictSame(numbersOf(sender.takeBack()), [7])
  t.equal(sender.budget.count, 0)
  sender.end()
})
