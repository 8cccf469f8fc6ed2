/** The connection of a relay: when it stands, what waits, and what it refuses. */

import t from 'tap'
import { RedisLine } from '../../../src/relay/redis/redis-line.ts'
import { scene, thrown, type World } from '../../kit.ts'
import { type Answer, blob, type FakeRedis, list, serve } from '../../protocols/redis/kit.ts'
import { code } from './kit.ts'

const reconnect = { first: 100, random: () => 1 }

/** What a server says of itself; `of` by the name of a section. */
const info =
  (server: string, persistence = ''): Answer =>
  ([name, section]) => {
    if (name === 'INFO') return blob(section === 'server' ? server : persistence)
    if (name === 'SUBSCRIBE') return list(['subscribe', section!, 1], '>')
    return name === 'EVAL' ? blob('done') : undefined
  }

const usual = info('# Server\r\nrun_id:abc\r\n', 'aof_enabled:0\r\n')

interface Made {
  readonly line: RedisLine
  readonly server: FakeRedis
  readonly stood: boolean[]
}

async function make(world: World, answer: Answer = usual): Promise<Made> {
  const server = await serve(world, answer)
  const stood: boolean[] = []
  const options = { engine: world.engine, reconnect }
  const line = new RedisLine('redis://localhost:1', options, isAgain => void stood.push(isAgain))
  await world.pump()
  return { line, server, stood }
}

async function close(world: World, { line, server }: Made): Promise<void> {
  const closed = line.close()
  server.close()
  await world.pump()
  await closed
}

const AWAY = 'ERR_RELAY_UNAVAILABLE'
const REFUSED = 'ERR_RELAY_REFUSED'
const CLOSED = 'ERR_RELAY_CLOSED'

scene(t, 'it stands when it knows the run of the server', async (t, world) => {
  for (const [answer, run] of [
    [usual, 'abc'],
    [info('run_id:abc\r\n', 'loading:0\r\naof_enabled:1\r\n'), 'kept'],
    [info('nothing'), 'unknown'],
  ] as const) {
    const made = await make(world, answer)
    t.same([made.line.run, made.line.state, made.stood], [run, 'standing', [false]])
    await close(world, made)
  }
})

scene(t, 'a server that refuses the login', async (t, world) => {
  const refused = await make(world, ([name]) =>
    name === 'HELLO' ? '-WRONGPASS no\r\n' : undefined,
  )
  t.equal(await code(refused.line.stands), REFUSED)
  t.match(world.logged.splice(0).join(), /WRONGPASS/)
  await close(world, refused)
})

scene(t, 'a server that does not say, or is lost meanwhile', async (t, world) => {
  const refused = await make(world, ([name]) => (name === 'INFO' ? '-NOPERM no\r\n' : undefined))
  t.equal(await code(refused.line.stands), REFUSED)
  t.match(world.logged.join(), /NOPERM/)
  await close(world, refused)
  const made = await make(world, ([name]) => (name === 'INFO' ? '' : undefined))
  made.server.peers.at(-1)!.close()
  await world.pump()
  t.equal(made.line.state, 'opening')
  made.server.answer = usual
  await world.advance(100)
  t.same([made.line.state, made.stood], ['standing', [false]])
  await close(world, made)
  const late = await make(world, ([name]) => (name === 'INFO' ? '' : undefined))
  const closed = late.line.close()
  late.server.peers.at(-1)!.write(`${blob('run_id:a')}${blob('')}`)
  await world.pump()
  await closed
  t.same([late.line.state, late.stood], ['closed', []])
  late.server.close()
})

scene(t, 'what is called while the server is away', async (t, world) => {
  const made = await make(world)
  const { line, server, stood } = made
  const lost = code(line.call('script', [], []))
  server.peers.at(-1)!.close()
  await world.pump()
  t.equal(await lost, AWAY)
  t.equal(line.state, 'away')
  t.equal(await code(line.call('script', [], [])), AWAY)
  const call = (): Promise<unknown> => line.call('script', [], [])
  const [patient, impatient] = [line.persist(call), code(line.persist(call, 50))]
  await world.advance(50)
  t.equal(await impatient, AWAY)
  const within = line.persist(call, 80)
  await world.advance(50)
  await world.pump()
  t.same([await patient, await within, stood], ['done', 'done', [false, true]])
  await close(world, made)
  t.equal(await code(line.persist(call)), CLOSED)
  t.equal(
    thrown(() => line.checkOpen()),
    CLOSED,
  )
})

scene(t, 'what is called before it stands waits; text or bytes', async (t, world) => {
  const server = await serve(world, usual)
  const line = new RedisLine('redis://localhost:1', { engine: world.engine, reconnect }, () => {})
  const early = line.persist(() => line.call('script', [], [], true), 1)
  await world.pump()
  t.same(await early, Buffer.from('done'))
  await close(world, { line, server, stood: [] })
})

scene(t, 'what may be repeated is', async (t, world) => {
  let times = 0
  const made = await make(world, (words, peer) => {
    if (words[0] !== 'EVAL') return usual(words, peer)
    if (words[1] === 'wrong') return '-ERR wrong\r\n'
    return ++times < 3 ? '-BUSY wait\r\n' : blob('done')
  })
  const { line } = made
  const done = line.persist(() => line.call('script', [], []))
  for (let i = 0; i < 3; i++) {
    await world.pump()
    await world.advance(50)
  }
  t.equal(await done, 'done')
  const wrong = code(line.persist(() => line.call('wrong', [], [])))
  times = 0
  const tired = code(line.persist(() => line.call('script', [], []), 0))
  await world.pump()
  t.same([await wrong, await tired], [REFUSED, AWAY])
  await close(world, made)
})

scene(t, 'publishing: a refusal is told, a loss is not', async (t, world) => {
  const said: Record<string, string> = { no: '-NOPERM no\r\n', yes: ':1\r\n' }
  const made = await make(world, (words, peer) =>
    words[0] === 'PUBLISH' ? (said[words[1]!] ?? '') : usual(words, peer),
  )
  made.line.publish('no', Buffer.from('x'))
  await world.pump()
  t.match(world.logged.join(), /NOPERM/)
  const large = Buffer.alloc(6 * 1024 * 1024)
  made.line.publish('yes', large)
  await world.pump()
  made.line.publish('lost', Buffer.from('x'))
  await world.pump()
  const taken = Array.from({ length: 3 }, () => made.line.publish('lost', large))
  t.same(taken, [true, true, false], 'what the server does not take')
  await close(world, made)
  t.equal(world.logged.length, 1)
})

scene(t, 'subscriptions have a connection of their own', async (t, world) => {
  const made = await make(world, (words, peer) =>
    words[1] === 'no' ? '-NOPERM no\r\n' : usual(words, peer),
  )
  const { line, server } = made
  const heard: string[] = []
  const subscribe = (channel: string): Promise<string> =>
    code(
      line.subscribe(
        channel,
        (message: Buffer) => void heard.push(String(message)),
        () => void heard.push('gap'),
      ),
    )
  const both = Promise.all([subscribe('a'), subscribe('no')])
  await world.pump()
  t.same(await both, ['', 'NOPERM'])
  server.peers.at(-1)!.write(list(['message', 'a', 'x'], '>'))
  await world.pump()
  server.peers.at(-1)!.close()
  await world.pump()
  t.equal(line.state, 'standing')
  await world.advance(100)
  t.same(heard, ['x', 'gap'])
  line.unsubscribe('a')
  await close(world, made)
})
