/** Who is present: leases, watchers that come and go, and a server that was away. */

import t, { type Test } from 'tap'
import { Engine } from '../../../src/engine.ts'
import { NatsLine } from '../../../src/relay/nats/nats-line.ts'
import { NatsPresence } from '../../../src/relay/nats/nats-presence.ts'
import { fate, scene, until } from '../../kit.ts'
import { jet } from '../../protocols/nats/jetstream/kit.ts'
import { HAS_NATS, type NatsServer } from '../../protocols/nats/nats-server.ts'
import { line, server } from './kit.ts'

interface One {
  readonly line: NatsLine
  readonly presence: NatsPresence
}

interface Place {
  readonly nats: NatsServer
  one(lease?: number): Promise<One>
}

function place(title: string, body: (t: Test, place: Place) => Promise<void>, config = ''): void {
  void t.test(title, { skip: !HAS_NATS && 'nats-server is not installed' }, async t => {
    const nats = await server(t, config)
    const one = async (lease = 60_000): Promise<One> => {
      const url = nats.url.replace('//', '//u:p@')
      const it = await line(t, url, isAgain => presence.stood(isAgain))
      const presence = new NatsPresence(new Engine({ log() {} }), it, 'p', lease)
      t.teardown(() => presence.close())
      return { line: it, presence }
    }
    await body(t, { nats, one })
  })
}

/** Writes down who is present. */
function see(): {
  seen: string[]
  listener: (came: readonly string[], went: readonly string[]) => void
} {
  const members = new Set<string>()
  const seen: string[] = []
  return {
    seen,
    listener(came, went) {
      for (const each of came) members.add(each)
      for (const each of went) members.delete(each)
      seen.push([...members].sort().join())
    },
  }
}

place('a member of two relays; watching twice; leaving early', async (t, place) => {
  const [a, b] = [await place.one(), await place.one()]
  const { seen, listener } = see()
  await a.presence.present('x', 'ann')
  await b.presence.present('x', 'ann')
  await Promise.all([b.presence.watch('x', listener), b.presence.watch('x', listener)])
  t.strictSame(seen, ['ann'])
  await a.presence.absent('x', 'ann')
  await a.presence.absent('x', 'ann')
  await a.presence.absent('y', 'ann')
  await a.presence.present('x', 'bob')
  await until(() => seen.at(-1) === 'ann,bob')
  await b.presence.absent('x', 'ann')
  await until(() => seen.at(-1) === 'bob')
  t.strictSame(seen, ['ann', 'ann,bob', 'bob'])
  const late = see()
  const watching = b.presence.watch('y', late.listener)
  b.presence.unwatch('y', late.listener)
  b.presence.unwatch('y', late.listener)
  await watching
  t.strictSame(late.seen, [])
  const second = see()
  await b.presence.watch('x', second.listener)
  t.strictSame(second.seen, ['bob'])
  b.presence.unwatch('x', second.listener)
  await a.presence.present('x', 'eve')
  await until(() => seen.at(-1) === 'bob,eve')
  t.strictSame(second.seen, ['bob'])
  a.presence.close()
  await until(() => seen.at(-1) === '')
})

place('a process that has died', async (t, place) => {
  const [a, b] = [await place.one(200), await place.one(200)]
  const { seen, listener } = see()
  await b.presence.watch('x', listener)
  await a.presence.present('x', 'ann')
  await b.presence.present('x', 'bob')
  await until(() => seen.at(-1) === 'ann,bob')
  // Its beats go on for longer than a lease.
  const start = Date.now()
  await until(() => Date.now() - start > 300)
  t.equal(seen.length, 3)
  a.line.client.close()
  await until(() => seen.at(-1) === 'bob')
  // Whoever begins to watch now sees what is left.
  const c = await place.one(200)
  const late = see()
  await c.presence.watch('x', late.listener)
  await until(() => late.seen.at(-1) === 'bob')
})

place('a server that comes back empty', async (t, place) => {
  const [a, b] = [await place.one(), await place.one()]
  const { seen, listener } = see()
  await b.presence.watch('x', listener)
  await a.presence.present('x', 'ann')
  await until(() => seen.at(-1) === 'ann')
  await place.nats.kill()
  await until(() => a.line.state === 'away' && b.line.state === 'away')
  const waits = a.presence.present('x', 'bob')
  const goes = a.presence.absent('x', 'ann')
  t.equal(await fate(waits), 'open')
  await place.nats.start()
  await Promise.all([waits, goes])
  await until(() => seen.at(-1)?.includes('bob') === true)
  const c = await place.one()
  const late = see()
  await c.presence.watch('x', late.listener)
  t.equal(late.seen.length, 1)
  t.match(late.seen[0], /bob/, 'it was said again')
})

place('who went while we were away', async (_, place) => {
  const [a, b] = [await place.one(), await place.one()]
  const { seen, listener } = see()
  await b.presence.watch('x', listener)
  await a.presence.present('x', 'ann')
  await a.presence.present('x', 'bob')
  await until(() => seen.at(-1) === 'ann,bob')
  // Its connection is cut, and comes back by itself.
  for (const each of [...b.line.client.engine.channels]) if (each !== b.line.client) each.close()
  await a.presence.absent('x', 'ann')
  await until(() => seen.at(-1) === 'bob')
})

place('after close', async (t, place) => {
  const { line, presence } = await place.one()
  const watching = fateLater(presence.watch('x', () => {}))
  presence.close()
  await line.close()
  const closed = 'rejected ERR_RELAY_CLOSED'
  t.equal(await watching, closed)
  t.equal(await fate(presence.present('x', 'ann')), closed)
  t.equal(await fate(presence.watch('x', () => {})), closed)
  t.equal(await fate(presence.absent('x', 'ann')), closed)
})

place(
  'without JetStream',
  async (t, place) => {
    const { presence } = await place.one()
    const { seen, listener } = see()
    t.equal(await fateLater(presence.watch('x', listener)), 'rejected ERR_RELAY_REFUSED')
    t.equal(await fateLater(presence.present('x', 'ann')), 'rejected ERR_RELAY_REFUSED')
    t.strictSame(seen, [])
  },
  'none',
)

place(
  'without the right to listen',
  async (t, place) => {
    const { presence } = await place.one()
    t.equal(await fateLater(presence.watch('x', () => {})), 'rejected ERR_RELAY_REFUSED')
  },
  'authorization { users = [{ user: u, password: p, permissions: { subscribe: "_INBOX.>" } }] }',
)

async function fateLater(promise: Promise<unknown>): Promise<unknown> {
  await promise.catch(() => {})
  return fate(promise)
}

void scene(t, 'beats: one at a time, and only those that are answered', async (t, world) => {
  const ok = '{"config":{},"state":{},"stream":"S","seq":1}'
  let made = ok
  const { server, client } = await jet(world, {
    'STREAM.CREATE': () => made,
    'p.members': () => ok,
  })
  client.close()
  const { engine } = world
  const stood = (isAgain: boolean): void => presence.stood(isAgain)
  const line = new NatsLine('nats://localhost', { engine }, stood)
  const presence = new NatsPresence(engine, line, 'p', 400)
  await world.pump()
  const present = presence.present('x', 'ann')
  await world.pump()
  await present
  const beats = (): number => server.asked.filter(each => each.includes('+ann')).length
  await world.advance(100)
  t.equal(beats(), 2)
  server.isPonging = false
  await world.advance(100)
  await world.advance(100)
  t.equal(beats(), 3, 'the next one waits for the answer')
  // The connection is lost in the middle of a beat. What it comes back to refuses the stream.
  server.isPonging = true
  made = '{"error":{"code":500,"err_code":1,"description":"no room"}}'
  server.last.close()
  await world.pump()
  await world.advance(1000)
  t.match(world.logged.at(-1), /no room/)
  const absent = presence.absent('x', 'ann').catch(error => error.code)
  await world.pump()
  t.equal(await absent, 'ERR_RELAY_REFUSED')
  const before = beats()
  await world.advance(100)
  t.equal(beats(), before, 'without members there is no beat')
  server.last.close()
  await world.pump()
  await world.advance(2000)
  t.equal(line.state, 'standing', 'nobody to say again')
  // It closes while it says them again.
  presence.present('x', 'bob').catch(() => {})
  await world.pump()
  server.replies = {}
  server.last.close()
  await world.pump()
  await world.advance(4000)
  const { length } = world.logged
  presence.close()
  line.client.close()
  await world.pump()
  t.equal(world.logged.length, length)
})
