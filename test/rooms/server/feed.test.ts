import t from 'tap'
import { Feed } from '../../../src/rooms/server/feed.ts'
import { packRecord, type RoomRecord } from '../../../src/rooms/server/record.ts'
import { scene, type World } from '../../kit.ts'
import { TroubledRelay } from './kit.ts'

let count = 0
const record = (text: string): RoomRecord => ({
  id: `x-${++count}`,
  from: '',
  client: '',
  isVolatile: false,
  text,
})

function make({ engine }: World, hasHistory = true, relay = new TroubledRelay(engine)) {
  const log: string[] = []
  const feed = new Feed({
    engine,
    relay,
    topic: 't',
    hasHistory,
    heard: ({ text }, seq) => void log.push(seq === undefined ? `${text} live` : text),
    lost: (from, to) => void log.push(`lost ${to - from + 1 > 1e6 ? 'many' : to - from + 1}`),
    failed: error => void log.push(`failed ${(error as Error).message}`),
    settled: () => void log.push('settled'),
  })
  return { feed, log, relay, say: (text: string) => feed.say(record(text)) }
}

scene(t, 'without a history', async (t, world) => {
  const { feed, log, relay, say } = make(world, false)
  await feed.open()
  t.equal(say('a'), true)
  await world.pump()
  relay.isAway = true
  say('b')
  t.same(log, ['a live'], 'not inside the call')
  await world.pump()
  t.same(log, ['a live', 'b live'], 'nobody else hears it, but this process does')
  relay.comeBack()
  say('c')
  relay.isAway = true
  say('d')
  feed.close()
  await world.pump()
  t.same(log, ['a live', 'b live'])
})

scene(t, 'with a history: in order, each once', async (t, world) => {
  const { feed, log, relay, say } = make(world)
  await relay.inner.append('t', packRecord(record('before')))
  await feed.open()
  const { position } = feed
  say('a')
  say('b')
  await relay.inner.append('t', 'what is no record')
  await world.pump()
  t.same(log.splice(0), ['settled', 'a', 'b'])
  t.equal(feed.position, position + 3)
  t.equal(feed.isSettled, true)
  relay.isAway = true
  for (const text of ['c', 'd']) await relay.inner.append('t', packRecord(record(text)))
  await world.pump()
  t.same(log, [])
  relay.comeBack()
  await world.pump()
  t.same(log.splice(0), ['c', 'd'])
  await feed.catchUp()
  t.same(log, [])
  feed.close()
})

// Found by random calls: a message that was stored before the end of the history was known, by a
// relay that said it had failed, was stored again.
scene(t, 'what is said while it opens is stored once', async (t, world) => {
  const { feed, log, relay, say } = make(world)
  const opened = feed.open()
  relay.append_mode = 'store and fail'
  say('a')
  await world.pump()
  t.same([log, feed.isSettled], [[], false])
  relay.append_mode = 'store'
  relay.comeBack()
  for (let i = 0; i < 3; i++) await world.advance(2000)
  await opened
  t.same(log, ['settled', 'a'])
  feed.close()
})

scene(t, 'what is said while it opens is told if that fails', async (t, world) => {
  const { feed, log, relay, say } = make(world)
  relay.subscribe = () => Promise.reject(new Error('refused'))
  const opened = feed.open()
  say('a')
  await t.rejects(opened, { message: 'refused' })
  t.same([log, feed.isSettled], [['settled', 'failed refused'], true])
  await t.rejects(feed.open(), { message: 'refused' })
  t.equal(log.length, 2, 'nobody has said anything')
  feed.close()
})

scene(t, 'a hole is read', async (t, world) => {
  const { feed, log, relay, say } = make(world)
  await feed.open()
  relay.isAway = true
  await relay.inner.append('t', packRecord(record('a')))
  await relay.inner.append('t', packRecord(record('b')))
  await world.pump()
  relay.isAway = false
  say('c')
  await world.pump()
  t.same(log.splice(0), ['settled', 'a', 'b', 'c'], 'also of a room that was silent before')
  relay.isAway = true
  await relay.inner.append('t', packRecord(record('d')))
  await world.pump()
  relay.isAway = false
  say('e')
  say('f')
  await world.pump()
  t.same(log.splice(0), ['settled', 'd', 'e', 'f'])
  feed.close()
})

scene(t, 'what is gone for good is told', async (t, world) => {
  const relay = new TroubledRelay(world.engine, 2)
  const { feed, log, say } = make(world, true, relay)
  await relay.inner.append('t', packRecord(record('first')))
  await feed.open()
  relay.isAway = true
  for (const text of ['a', 'b', 'c', 'd']) await relay.inner.append('t', packRecord(record(text)))
  await world.pump()
  relay.comeBack()
  await world.pump()
  t.same(log.splice(0), ['lost 2', 'c', 'd'])
  say('e')
  await world.pump()
  t.same(log.splice(0), ['settled', 'e'])
  feed.close()
})

scene(t, 'what comes while it opens', async (t, world) => {
  const { feed, log, relay } = make(world)
  await relay.inner.append('t', packRecord(record('a')))
  const read = relay.read_after.bind(relay)
  relay.read_after = async (...args) => {
    const result = await read(...args)
    if (feed.position === 0) {
      await relay.inner.append('t', packRecord(record('b')))
      await world.pump()
    }
    return result
  }
  await feed.open()
  t.same(log, ['b'])
  feed.close()
})

scene(t, 'the server is away while it opens', async (t, world) => {
  const { feed, log, relay } = make(world)
  relay.isAway = true
  const opened = feed.open()
  for (let i = 0; i < 5; i++) await world.advance(2000)
  relay.isAway = false
  await world.advance(2000)
  await opened
  t.ok(relay.asked.length > 1)
  relay.read_after = () => Promise.reject(new Error('refused'))
  relay.comeBack()
  await world.pump()
  t.same(log, ['failed refused'])
  relay.comeBack()
  feed.close()
  await world.pump()
  t.same(log, ['failed refused'], 'nobody wants to know')
})

scene(t, 'it closes while the history is read', async (t, world) => {
  const { feed, log, relay } = make(world)
  await feed.open()
  await relay.inner.append('t', packRecord(record('a')))
  const caught = feed.catchUp()
  feed.close()
  await caught
  t.same(log, [])
})

scene(
  t,
  'an entry that was stored although append failed is not stored twice',
  async (t, world) => {
    const { feed, log, relay, say } = make(world)
    await feed.open()
    relay.append_mode = 'store and fail'
    say('a')
    await world.pump()
    t.equal(feed.isSettled, false)
    relay.append_mode = 'store'
    relay.isAway = false
    await world.advance(2000)
    t.same(log, ['settled', 'a'])
    t.equal((await relay.inner.read_after('t', 0)).entries.length, 2)
    relay.append_mode = 'refuse'
    say('b')
    await world.pump()
    t.same(log.slice(2), ['settled', 'failed no memory'])
    feed.close()
  },
)

scene(t, 'more than one page is missing', async (t, world) => {
  const { feed, log, relay } = make(world)
  await relay.inner.append('t', packRecord(record('first')))
  await feed.open()
  relay.isAway = true
  for (let i = 0; i < 700; i++) await relay.inner.append('t', packRecord(record(String(i))))
  await world.pump()
  relay.comeBack()
  await world.pump()
  t.same(
    log,
    Array.from({ length: 700 }, (_, i) => String(i)),
  )
  feed.close()
})
