import t from 'tap'
import { ROOM_SERVER_DEFAULTS } from '../../../src/rooms/server/room-server-settings.ts'
import { Seat, type SeatOwner } from '../../../src/rooms/server/seat.ts'
import { fate, scene, thrown, turn, type World } from '../../kit.ts'

function make({ engine }: World, rate = Infinity) {
  const log: string[] = []
  const release: (() => void)[] = []
  let isFull = false
  const owner: SeatOwner = {
    engine,
    values: { ...ROOM_SERVER_DEFAULTS, rate },
    heard: (_seat, data) => {
      log.push(`heard ${String(data).slice(0, 10)}`)
      return String(data).startsWith('slow')
        ? new Promise<void>(resolve => release.push(resolve))
        : undefined
    },
    returned: (_seat, client) => void log.push(`is ${client}`),
    left: (_seat, reason) => void log.push(`left ${reason}`),
  }
  const entrance = {
    post: (texts: readonly string[], links: Iterable<unknown>) => {
      if (isFull) return [...links]
      log.push(`post ${texts}`)
      return []
    },
    part: (_link: unknown, code: number, reason: string) => void log.push(`part ${code} ${reason}`),
    shut: () => {},
  }
  const seat = new Seat(owner, 'id', { entrance, link: 1, address: 'there' })
  const fill = (full: boolean): void => {
    isFull = full
    if (!full) seat.ready()
  }
  return { seat, log, release, fill }
}

scene(t, 'one message at a time', async (t, world) => {
  const { seat, log, release } = make(world)
  t.equal(seat.receive('a'), undefined)
  const busy = seat.receive('slow')
  t.equal(seat.receive('b'), busy)
  void seat.receive('slow 2')
  void seat.receive('c')
  t.same(log, ['heard a', 'heard slow'])
  release[0]!()
  await turn()
  t.same(log.slice(2), ['heard b', 'heard slow 2'])
  t.equal(await fate(busy!), 'open')
  release[1]!()
  await busy
  t.same(log.slice(4), ['heard c'])
  t.equal(seat.receive('d'), undefined)
  void seat.receive('slow 3')
  void seat.receive('e')
  seat.gone('lost')
  t.equal(seat.receive('f'), undefined)
  release[2]!()
  await turn()
  t.equal(seat.receive('g'), undefined)
  t.same(log.slice(5), ['heard d', 'heard slow 3', 'left lost'])
  seat.gone('twice')
  seat.part(1000, '')
  t.equal(log.length, 8)
})

scene(t, 'what waits is bounded', async (t, world) => {
  const { seat, log } = make(world)
  void seat.receive('slow')
  for (let i = 0; i < 1001; i++) void seat.receive('x')
  t.same(log, [
    'heard slow',
    'left too many messages at once',
    'part 1008 too many messages at once',
  ])
  const { seat: other, log: more } = make(world)
  void other.receive('slow')
  void other.receive('x'.repeat(2 * 1024 * 1024))
  t.equal(more.length, 1, 'one message may be as long as messages may be')
  void other.receive('y')
  t.equal(more.length, 3)
})

scene(t, 'a rate', async (t, world) => {
  const { seat, log, release } = make(world, 2)
  for (const each of ['1', '2', '3', '4', '5', '6']) void seat.receive(each)
  await turn()
  t.equal(log.length, 4, 'twice as many at once')
  await world.advance(500)
  t.equal(log.length, 5)
  await world.advance(500)
  t.equal(log.length, 6)
  void seat.receive('slow')
  await world.advance(500)
  t.equal(log.length, 7)
  release[0]!()
  void seat.receive('7')
  seat.gone('')
  await world.advance(1000)
  t.same(log.slice(7), ['left '])
  const { seat: other, log: more } = make(world, 0.5)
  void other.receive('1')
  void other.receive('2')
  other.gone('')
  await world.advance(2000)
  t.same(more, ['heard 1', 'left '])
  const { seat: last, log: few } = make(world, 0.5)
  void last.receive('1')
  const waits = last.receive('2')
  await world.engine.stop()
  await waits
  t.same(few, ['heard 1'], 'the engine stops, and what waits is not heard')
})

scene(t, 'sending', async (t, world) => {
  const { seat, log, fill } = make(world)
  const { member } = seat
  t.equal(member.send({ a: 1 }), true)
  t.equal(member.send('text'), true)
  for (const wrong of [Buffer.from('x'), undefined, () => {}])
    t.equal(
      thrown(() => member.send(wrong)),
      'ERR_INVALID_ARGUMENT',
    )
  fill(true)
  t.equal(member.send('lost'), false)
  const sent = seat.sendSurely('waits')
  t.equal(await fate(sent), 'open')
  fill(false)
  t.equal(await sent, true)
  fill(true)
  const unsent = seat.sendSurely('never')
  seat.reply({ status: 'left' })
  t.equal(await unsent, false)
  t.same(log, ['post {"a":1}', 'post text', 'post waits', 'left too slow', 'part 1013 too slow'])
  t.equal(member.connected, false)
})

scene(t, 'rooms, names', async (t, world) => {
  const { seat, log } = make(world)
  t.equal(seat.expel('r', 'x'), false)
  const room = { leave: () => void log.push('leaves'), greet: () => {} }
  seat.rooms.set('r', room)
  t.equal(seat.expel('r', 'noise'), true)
  t.same(log, ['leaves', 'post {"status":"refused","room":"r","reason":"noise"}'])
  t.match(seat.client, /^[\w-]{12}$/)
  t.equal(seat.client, seat.client)
  seat.client = 'C'
  t.equal(seat.client, 'C')
  t.equal(
    thrown(() => seat.part(1005, '')),
    'ERR_INVALID_ARGUMENT',
  )
})
