import t from 'tap'
import { Attendance } from '../../../src/rooms/server/attendance.ts'
import type { Seat } from '../../../src/rooms/server/seat.ts'
import { scene } from '../../kit.ts'
import { TroubledRelay } from './kit.ts'

const seat = (id: string, name: string): Seat => ({ id, name }) as Seat

scene(t, 'who comes and goes, here and elsewhere', async (t, { engine, pump, advance }) => {
  const relay = new TroubledRelay(engine)
  await relay.inner.present('t', 'far away')
  const log: string[] = []
  const one = new Attendance({
    engine,
    relay,
    topic: 't',
    changed: (came, went) => void log.push(`+${came} -${went}`),
    failed: error => void log.push(`failed ${(error as Error).message}`),
  })
  const opened = one.open()
  await pump()
  await opened
  t.same(one.names, ['away'])
  const [ann, bob] = [seat('a', 'Ann B.'), seat('b', 'Bob')]
  one.add(ann)
  relay.isAway = true
  one.add(bob)
  await pump()
  relay.isAway = false
  await advance(2000)
  t.same(one.names, ['away', 'Ann B.', 'Bob'])
  one.delete(ann)
  await relay.inner.absent('t', 'far away')
  await pump()
  t.same(one.names, ['Bob'])
  relay.isAway = true
  one.delete(bob)
  await pump()
  t.same(relay.asked.splice(0), ['present', 'absent'])
  relay.isAway = false
  await advance(2000)
  t.same(one.names, [], 'it is told when the server is there again')
  t.same(
    log.splice(0, 5),
    ['+away -', '+Ann B. -', '+Bob -', '-Ann B.', '-away'].map(each =>
      each.startsWith('-') ? `+ ${each}` : each,
    ),
  )
  const carl = seat('c', 'Carl')
  one.add(carl)
  await pump()
  t.same(log, ['+ -Bob', '+Carl -'])
  relay.absent = () => Promise.reject(new Error('refused'))
  one.delete(carl)
  await pump()
  t.same(log.splice(2), ['failed refused'])
  one.add(ann)
  one.delete(ann)
  one.close()
  await advance(2000)
  t.equal(log.length, 2, 'nobody wants to know')
})

// Found by reading: a client that came back before its old connection was known to be lost was told
// as gone a minute later, although it was there.
scene(t, 'a name is there as long as one member has it', async (t, { engine, pump }) => {
  const log: string[] = []
  const one = new Attendance({
    engine,
    relay: new TroubledRelay(engine),
    topic: 't',
    changed: (came, went) => void log.push(`+${came} -${went}`),
    failed: () => {},
  })
  const opened = one.open()
  await pump()
  await opened
  const [bob, again] = [seat('1', 'Bob'), seat('2', 'Bob')]
  one.add(bob)
  await pump()
  one.add(again)
  await pump()
  one.delete(bob)
  await pump()
  t.same([one.names, log], [['Bob'], ['+Bob -']])
  one.delete(again)
  await pump()
  t.same([one.names, log], [[], ['+Bob -', '+ -Bob']])
  one.close()
})

// Found by random calls: who had come and gone while the relay was away came back when the relay
// did, and stayed for ever; and who was back in a room that had been empty was told as gone.
scene(t, 'what is told late is what is so', async (t, { engine, pump, advance }) => {
  const relay = new TroubledRelay(engine)
  const options = { engine, relay, topic: 't', changed: () => {}, failed: () => t.fail() }
  const one = new Attendance(options)
  const opened = one.open()
  await pump()
  await opened
  const [ann, bob] = [seat('a', 'Ann'), seat('b', 'Bob')]
  relay.isAway = true
  one.add(ann)
  await pump()
  relay.isAway = false
  one.delete(ann)
  await advance(2000)
  t.same(one.names, [])

  one.add(bob)
  await pump()
  relay.isAway = true
  one.delete(bob)
  await pump()
  relay.isAway = false
  const two = new Attendance(options)
  two.add(bob)
  await advance(2000)
  t.same(one.names, ['Bob'])
  two.delete(bob)
  one.close()
  two.close()
})

scene(t, 'what is told twice is no news', async (t, { engine, pump }) => {
  const relay = new TroubledRelay(engine)
  let listener: ((came: string[], went: string[]) => void) | undefined
  relay.watch = async (_topic, each) => void (listener = each as typeof listener)
  const log: string[] = []
  const one = new Attendance({
    engine,
    relay,
    topic: 't',
    changed: (came, went) => void log.push(`+${came} -${went}`),
    failed: () => {},
  })
  await one.open()
  listener!(['a A'], [])
  listener!(['a A'], ['b B'])
  listener!(['a A', 'c C'], [])
  await pump()
  t.same(log, ['+A -', '+C -'])
  one.close()
})
