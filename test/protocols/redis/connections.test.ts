/** Which connection a command takes, which commands wait, and what becomes of them. */

import t from 'tap'
import { Command } from '../../../src/protocols/redis/command.ts'
import { Connections, type ConnectionsOwner } from '../../../src/protocols/redis/connections.ts'
import type { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { RedisOptions } from '../../../src/protocols/redis/target.ts'
import { scene, type World } from '../../kit.ts'
import { type Answer, blob, type FakeRedis, list, outcome, serve, target } from './kit.ts'

const TEXT = { encoding: 'utf8' } as const

const MANNER = { timeout: undefined, encoding: 'utf8' } as const

class Owner implements ConnectionsOwner {
  readonly told: string[] = []
  on_connect(): void {
    this.told.push('connect')
  }
  on_disconnect({ code }: RedisError): void {
    this.told.push(`disconnect ${code}`)
  }
  async on_push(kind: string): Promise<void> {
    this.told.push(`push ${kind}`)
  }
  on_error(error: unknown): void {
    this.told.push(`error ${(error as Error).message}`)
  }
  on_close(reason: string): void {
    this.told.push(`close ${reason}`)
  }
}

/** Answers what tests ask. */
const usual: Answer = ([name, key]) =>
  name === 'GET' ? blob(key!) : name === 'SET' || name === 'QUIT' ? '+OK\r\n' : undefined

interface Made {
  readonly it: Connections
  readonly owner: Owner
  readonly server: FakeRedis
  call(...words: string[]): { value: unknown }
}

async function make(
  world: World,
  options: RedisOptions = {},
  answer: Answer = usual,
): Promise<Made> {
  const server = await serve(world, answer)
  const it = new Connections()
  const owner = new Owner()
  it.owner = owner
  it.open(target(world, options))
  await world.pump()
  return { it, owner, server, call: (...words) => outcome(it.run(words, MANNER)) }
}

async function close(world: World, { it }: Made, flush = false): Promise<void> {
  it.close(flush)
  await world.pump()
  t.equal(await it.closed, 'local')
}

scene(t, 'commands that are called before it is connected wait', async (t, world) => {
  const server = await serve(world, usual)
  const it = new Connections()
  it.owner = new Owner()
  const early = outcome(it.run(['GET', 'a'], MANNER))
  it.open(target(world))
  t.equal(it.state, 'opening')
  const all = ['b', 'c'].map(key => outcome(it.run(['GET', key], MANNER)))
  const gone = outcome(it.run(['SET', 'x', 'y'], { ...MANNER, timeout: 1 }))
  world.clock.advance(1)
  await world.pump()
  await it.ready
  t.same([early.value, ...all.map(({ value }) => value)], ['ERR_CLOSED', 'b', 'c'])
  t.same([gone.value, server.peers[0]!.news], ['ERR_TIMEOUT', ['GET b', 'GET c']])
  t.equal(it.state, 'active')
  await close(world, { it } as Made)
})

scene(t, 'after a loss only reads wait, and are sent again', async (t, world) => {
  const made = await make(world, {}, () => undefined)
  const { server, owner, it, call } = made
  const sent = [call('GET', 'a'), call('SET', 'a', 'b')]
  await world.pump()
  server.peers[0]!.close()
  await world.pump()
  t.same([sent[0]!.value, sent[1]!.value, it.state], ['waits', 'ERR_CLOSED', 'opening'])
  const later = [call('GET', 'b'), call('SET', 'b', 'c')]
  await world.pump()
  t.same([later[0]!.value, later[1]!.value], ['waits', 'ERR_DISCONNECTED'])
  // One more attempt fails meanwhile.
  server.answer = (_, peer) => void peer.close()
  await world.advance(100)
  server.answer = usual
  await world.advance(200)
  t.same([sent[0]!.value, later[0]!.value], ['a', 'b'])
  t.same(server.peers[2]!.news, ['GET a', 'GET b'])
  const lost = 'disconnect ERR_CLOSED'
  t.same(owner.told, ['connect', lost, lost, 'connect'])
  await close(world, made)
})

scene(t, 'all wait, or none', async (t, world) => {
  for (const [waiting, values] of [
    ['all', ['waits', 'ERR_CLOSED', 'waits', 'waits']],
    ['none', ['ERR_CLOSED', 'ERR_CLOSED', 'ERR_DISCONNECTED', 'ERR_DISCONNECTED']],
  ] as const) {
    const made = await make(world, { waiting }, () => undefined)
    const { server, call } = made
    const sent = [call('GET', 'a'), call('SET', 'a', 'b')]
    await world.pump()
    server.peers.at(-1)!.close()
    await world.pump()
    const all = [...sent, call('GET', 'b'), call('SET', 'b', 'c')]
    await world.pump()
    t.same(
      all.map(({ value }) => value),
      values,
    )
    await close(world, made)
    server.close()
    await world.pump()
  }
})

/** A command that crashes the server would crash it again and again. */
scene(t, 'a read is sent three times at most', async (t, world) => {
  const made = await make(world, { reconnect: { first: 1, longest: 1 } }, ([name], peer) => {
    if (name === 'GET') peer.close()
    return undefined
  })
  const get = made.call('GET', 'a')
  for (let i = 0; i < 10; i++) await world.advance(1)
  t.equal(get.value, 'ERR_CLOSED')
  t.equal(made.server.peers.flatMap(({ news }) => news).length, 3)
  await close(world, made)
})

scene(t, 'the bounds of what waits', async (t, world) => {
  const made = await make(world, { limit: 2 }, () => undefined)
  const { server, it, call } = made
  const first = call('GET', 'a')
  call('GET', 'b')
  const third = call('GET', 'c')
  await world.pump()
  t.same([first.value, third.value], ['waits', 'ERR_OVERFLOW'])
  const part = new Command(['SET', 'a', 'b'], 'utf8', true)
  it.runAll([part], undefined)
  await t.rejects(part.promise, { code: 'ERR_OVERFLOW' })
  server.peers[0]!.close()
  await world.pump()
  const more = call('GET', 'd')
  await world.pump()
  t.equal(more.value, 'ERR_OVERFLOW')
  await close(world, made)
})

/** Those that had timed out stayed, and were counted: soon nothing could wait any more. */
scene(t, 'whose time is over waits no more', async (t, world) => {
  const made = await make(world, { limit: 1, waiting: 'all', timeout: 5 })
  made.server.peers[0]!.close()
  await world.pump()
  for (const words of [
    ['GET', 'a'],
    ['SET', 'a', 'b'],
  ]) {
    const both = [made.call(...words), made.call('GET', 'b')]
    await world.pump()
    t.same(
      both.map(({ value }) => value),
      ['waits', 'ERR_OVERFLOW'],
    )
    await world.advance(5)
    t.equal(both[0]!.value, 'ERR_TIMEOUT')
  }
  await close(world, made)
})

scene(t, 'a server that does not read', async (t, world) => {
  const made = await make(world)
  made.server.peers[0]!.suspend()
  for (let i = 0; i < 400; i++) void made.it.run(['SET', 'a', 'x'.repeat(60_000)], MANNER)
  const last = made.call('SET', 'a', 'b')
  await world.pump()
  t.equal(last.value, 'ERR_OVERFLOW')
  await close(world, made)
})

scene(t, 'a transaction goes out together, or not at all', async (t, world) => {
  const made = await make(world)
  const parts = ['MULTI', 'EXEC'].map(name => new Command([name], 'utf8', true))
  made.it.runAll(parts, 50)
  made.it.runAll([new Command(['GET', 'a'], 'utf8', true)], undefined)
  await world.pump()
  t.same(made.server.peers[0]!.news, ['MULTI', 'EXEC', 'GET a'])
  await world.advance(50)
  await t.rejects(parts[1]!.promise, { code: 'ERR_TIMEOUT' })
  made.server.peers[0]!.close()
  await world.pump()
  const later = ['MULTI', 'EXEC'].map(name => new Command([name], 'utf8', true))
  made.it.runAll(later, undefined)
  for (const { promise } of later) await t.rejects(promise, { code: 'ERR_DISCONNECTED' })
  await close(world, made)
})

scene(t, 'what was watched on a connection that was lost', async (t, world) => {
  // The new connection watches nothing: EXEC ran, and what somebody else had written was gone.
  const made = await make(world, { waiting: 'all' }, ([name]) =>
    /WATCH|MULTI|EXEC/.test(name!) ? '+OK\r\n' : undefined,
  )
  const { server, it, call } = made
  const run = (): { value: unknown } => {
    const parts = ['MULTI', 'EXEC'].map(name => new Command([name], 'utf8', true))
    it.runAll(parts, undefined)
    return outcome(parts[1]!.promise)
  }
  /** The connection is lost, and made again. */
  const lose = async (): Promise<void> => {
    server.peers.at(-1)!.close()
    await world.pump()
    while (it.state === 'opening') await world.advance(100)
  }
  const steps: [before: string[], isLost: boolean, exec: unknown][] = [
    [['WATCH'], false, 'OK'],
    [['WATCH'], true, 'ERR_WATCHED'],
    [[], false, 'OK'],
    [['WATCH', 'UNWATCH'], true, 'OK'],
  ]
  for (const [before, isLost, exec] of steps) {
    for (const name of before) call(name, 'a')
    await world.pump()
    if (isLost) await lose()
    const got = run()
    await world.pump()
    t.equal(got.value, exec, `${before} ${isLost}`)
  }
  call('WATCH', 'a')
  await world.pump()
  await lose()
  call('WATCH', 'b')
  await world.pump()
  const waits = run()
  await world.pump()
  t.equal(waits.value, 'ERR_WATCHED', 'also if another one is watched on the new one')
  await close(world, made)
})

scene(t, 'a timeout keeps the place of the command', async (t, world) => {
  const made = await make(world, { timeout: 100 }, () => undefined)
  const late = made.call('GET', 'a')
  await world.advance(50)
  const next = made.call('GET', 'b')
  await world.advance(50)
  t.same([late.value, next.value], ['ERR_TIMEOUT', 'waits'])
  made.server.peers[0]!.write(`${blob('of a')}${blob('of b')}`)
  await world.pump()
  t.equal(next.value, 'of b')
  await close(world, made)
})

scene(t, 'commands that block have a connection of their own', async (t, world) => {
  const made = await make(world)
  const { it, call, server } = made
  const closed = outcome(new Connections().run(['BLPOP', 'l', '0'], MANNER))
  const blocked = call('BLPOP', 'l', '0')
  const timed = outcome(
    it.run(['XREAD', 'BLOCK', '0', 'STREAMS', 's', '0'], { ...MANNER, timeout: 9 }),
  )
  await world.pump()
  t.same([server.peers.length, closed.value], [3, 'ERR_CLOSED'])
  const get = call('GET', 'a')
  await world.pump()
  t.equal(get.value, 'a')
  server.peers.find(({ news }) => news[0]!.startsWith('BLPOP'))!.write(list(['l', 'x']))
  await world.advance(9)
  t.same([blocked.value, timed.value], [['l', 'x'], 'ERR_TIMEOUT'])
  await close(world, made)
})

/** They rejected with ERR_CLOSED, as if they might have run; also before the first connection. */
scene(t, 'commands that block, without a connection', async (t, world) => {
  const it = new Connections()
  it.owner = new Owner()
  it.open(target(world))
  const early = outcome(it.run(['BLPOP', 'l', '0'], MANNER))
  await world.pump()
  t.equal(early.value, 'waits', 'nobody listens')
  const server = await serve(world, ([name]) =>
    /BLPOP|XREAD/.test(name!) ? list(['l', 'x']) : undefined,
  )
  await world.advance(100)
  t.same(early.value, ['l', 'x'])
  for (const peer of server.peers) peer.close()
  await world.pump()
  const read = outcome(it.run(['XREAD', 'BLOCK', '0', 'STREAMS', 's', '0'], MANNER))
  const pop = outcome(it.run(['BLPOP', 'l', '0'], MANNER))
  const gone = outcome(
    it.run(['XREAD', 'BLOCK', '0', 'STREAMS', 's', '0'], { ...MANNER, timeout: 1 }),
  )
  await world.advance(1)
  t.same([read.value, pop.value, gone.value], ['waits', 'ERR_DISCONNECTED', 'ERR_TIMEOUT'])
  const get = outcome(it.run(['GET', 'a'], MANNER))
  it.close(true)
  await world.pump()
  t.same([read.value, get.value], ['ERR_CLOSED', 'waits'], 'it is not waited for')
  it.close(false)
  await world.pump()
})

scene(t, 'what cannot be sent', async (t, world) => {
  const made = await make(world)
  const all = [made.call('SUBSCRIBE', 'a'), made.call('client', 'reply', 'off')]
  await world.pump()
  t.same(
    all.map(({ value }) => value),
    ['ERR_UNSUPPORTED', 'ERR_UNSUPPORTED'],
  )
  t.same(made.server.peers[0]!.news, [])
  const id = made.call('CLIENT', 'ID')
  await world.pump()
  t.equal(id.value, 'ERR')
  await close(world, made)
})

scene(t, 'the database is selected on the next connections, too', async (t, world) => {
  const made = await make(world)
  const { call, server } = made
  call('SELECT', '3')
  await world.pump()
  call('BLPOP', 'l', '0')
  await world.pump()
  server.peers[0]!.close()
  await world.pump()
  await world.advance(100)
  for (const peer of server.peers.slice(1))
    t.ok(peer.commands.some(([name, db]) => name === 'SELECT' && db === '3'))
  await close(world, made)
})

scene(t, 'a database that is refused is not', async (t, world) => {
  const made = await make(world, {}, ([name]) => (name === 'SELECT' ? '-ERR no\r\n' : undefined))
  const select = made.call('SELECT', '99')
  await world.pump()
  t.equal(select.value, 'ERR')
  made.server.answer = usual
  made.server.peers[0]!.close()
  await world.pump()
  await world.advance(100)
  t.notOk(made.server.peers[1]!.commands.some(([name]) => name === 'SELECT'))
  await close(world, made)
})

scene(t, 'QUIT closes the client', async (t, world) => {
  const made = await make(world)
  const quit = made.call('QUIT')
  await world.pump()
  t.equal(quit.value, 'OK')
  t.same(made.owner.told, ['connect', 'close local'])
  t.equal(made.it.state, 'closed')
})

scene(t, 'subscribing, and what is told of it', async (t, world) => {
  const confirm: Answer = ([name, key]) =>
    /SUBSCRIBE$/.test(name!) ? list([name!.toLowerCase(), key!, 1], '>') : undefined
  const made = await make(world, {}, confirm)
  const { it, server, owner } = made
  await it.unsubscribe('', 'a', undefined)
  const got: unknown[] = []
  const done = it.subscribe('', 'a', message => got.push(message), TEXT)
  await world.pump()
  await done
  void it.subscribe('', 'b', () => { throw new Error('x') }, TEXT) // prettier-ignore
  await world.pump()
  server.peers[1]!.write(list(['message', 'a', 'hi'], '>') + list(['message', 'b', 'hi'], '>'))
  await world.pump()
  t.same(got, ['hi'])
  server.peers[0]!.write(list(['invalidate', 'x'], '>'))
  server.peers[1]!.close()
  await world.pump()
  t.same(owner.told, ['connect', 'error x', 'push invalidate', 'disconnect ERR_CLOSED'])
  const removed = outcome(it.unsubscribe('', 'a', undefined))
  await world.pump()
  t.equal(removed.value, undefined)
  await close(world, made)
  await t.rejects(
    it.subscribe('p', 'a', () => {}, TEXT),
    {
      code: 'ERR_CLOSED',
      command: 'PSUBSCRIBE',
    },
  )
})

/** It would have waited for ever. A ping would wait for it, so the other connection is asked. */
scene(t, 'a server that stands still: what blocks hears of it, too', async (t, world) => {
  let isSilent = false
  const answer: Answer = ([name, key]) =>
    name === 'PING' && isSilent
      ? ''
      : name === 'MULTI' || name === 'EXEC'
        ? '+OK\r\n'
        : usual([name!, key!], undefined!)
  const made = await make(world, { ping_interval: 1000 }, answer)
  const { call, owner, server } = made
  const pass = async (): Promise<void> => {
    for (let passed = 0; passed < 5000; passed += 100) await world.advance(100)
  }
  const blpop = call('BLPOP', 'a', '0')
  call('MULTI')
  await pass()
  t.same([server.peers[0]!.news, blpop.value], [['MULTI'], 'waits'], 'no ping in a transaction')
  call('EXEC')
  await pass()
  t.equal(blpop.value, 'waits')
  isSilent = true
  await pass()
  t.same([owner.told[1], blpop.value], ['disconnect ERR_STALE', 'ERR_STALE'])
  await close(world, made)
})

scene(t, 'closing at once, politely, and twice', async (t, world) => {
  const made = await make(world, {}, () => undefined)
  const { it, call, server, owner } = made
  const get = call('GET', 'a')
  await world.pump()
  it.close(true)
  await world.pump()
  const refused = call('GET', 'b')
  await world.pump()
  t.same([get.value, refused.value, it.state], ['waits', 'ERR_CLOSED', 'closing'])
  await t.rejects(it.ready, { code: 'ERR_CLOSED' })
  it.close(false)
  await world.pump()
  t.equal(get.value, 'ERR_CLOSED')
  it.close(false)
  t.same(owner.told, ['connect', 'close local'])
  // The same object may be opened again.
  server.answer = usual
  it.open(target(world))
  await world.pump()
  await it.ready
  const again = call('GET', 'c')
  await world.pump()
  t.equal(again.value, 'c')
  await close(world, made)
})

scene(t, 'closing while it waits to connect again', async (t, world) => {
  const made = await make(world, {}, () => undefined)
  const get = made.call('GET', 'a')
  made.server.peers[0]!.close()
  await world.pump()
  await close(world, made)
  t.equal(get.value, 'ERR_CLOSED')
  t.same(made.owner.told, ['connect', 'disconnect ERR_CLOSED', 'close local'])
})

scene(
  t,
  'a login that is refused closes it, and so does an engine that stops',
  async (t, world) => {
    const made = await make(world, { password: 'x' }, ([name]) =>
      name === 'HELLO' ? '-WRONGPASS no\r\n' : undefined,
    )
    await t.rejects(made.it.ready, { code: 'WRONGPASS' })
    t.same(made.owner.told, ['disconnect WRONGPASS', 'close error'])
    t.equal(await made.it.closed, 'error')
    // Later ones were told to connect() first, and not what was wrong.
    const late = { code: 'WRONGPASS', message: /has closed: the server refused the login: .*no/ }
    await t.rejects(made.it.run(['GET', 'a'], MANNER), { ...late, command: 'GET' })
    await t.rejects(
      made.it.subscribe('', 'a', () => {}, TEXT),
      late,
    )
    made.server.close()
    await world.pump()
    const other = await make(world)
    const stopped = world.engine.stop()
    await world.pump()
    await stopped
    t.equal(await other.it.closed, 'drain')
    const ended = other.it.run(['GET', 'a'], MANNER)
    await t.rejects(ended, { code: 'ERR_CLOSED', message: /^the client has closed: / })
  },
)

/** After a loss the database was the one before, and what was written went there. */
scene(t, 'a database that is selected in a transaction', async (t, world) => {
  let exec: string | undefined = '*1\r\n+OK\r\n'
  const answer: Answer = ([name], { commands }) => {
    if (name === 'SELECT') return commands.at(-2)?.[0] === 'MULTI' ? '+QUEUED\r\n' : '+OK\r\n'
    return name === 'MULTI' || name === 'DISCARD' ? '+OK\r\n' : name === 'EXEC' ? exec : undefined
  }
  const made = await make(world, {}, answer)
  const { it, server } = made
  const select = async (db: number, end = 'EXEC'): Promise<string[] | undefined> => {
    const names = [['MULTI'], ['SELECT', db], [end]]
    it.runAll(
      names.map(words => new Command(words, 'utf8', true)),
      undefined,
    )
    await world.pump()
    server.peers.at(-1)!.close()
    await world.pump()
    while (it.state === 'opening') await world.advance(100)
    return server.peers.at(-1)!.commands.find(([name]) => name === 'SELECT')
  }
  t.same(await select(3), ['SELECT', '3'])
  t.same(await select(4, 'DISCARD'), ['SELECT', '3'])
  exec = '*1\r\n-ERR DB index is out of range\r\n'
  t.same(await select(99), ['SELECT', '3'])
  exec = undefined
  t.same(await select(5), ['SELECT', '3'], 'lost before EXEC')
  await close(world, made)
})

/** They were refused: a program that set something and ended had set nothing. */
scene(t, 'it ends before it is connected: what waits is sent first', async (t, world) => {
  const made = await make(world)
  const { it, server, call } = made
  server.peers[0]!.close()
  await world.pump()
  const get = call('GET', 'a')
  it.close(true)
  it.close(true)
  const late = call('GET', 'b')
  t.equal(it.state, 'closing')
  await world.advance(100)
  t.same([get.value, late.value], ['a', 'ERR_CLOSED'])
  t.equal(await it.closed, 'local')
  t.same(made.owner.told, ['connect', 'disconnect ERR_CLOSED', 'close local'])
})

scene(t, 'it ends, and there is no connection in time', async (t, world) => {
  const it = new Connections()
  it.owner = new Owner()
  it.open(target(world))
  const get = outcome(it.run(['GET', 'a'], MANNER))
  it.close(true)
  await world.advance(29_999)
  t.equal(get.value, 'waits')
  await world.advance(1)
  t.equal(get.value, 'ERR_CLOSED')
  await t.rejects(it.ready, { code: 'ERR_CLOSED' })
})

/** The promise of the first opening was that of the second, which was settled at once. */
scene(t, 'opened again by on_close', async (t, world) => {
  const made = await make(world)
  const { it, owner } = made
  const [first] = [it.closed]
  owner.on_close = () => it.open(target(world))
  it.close(false)
  await world.pump()
  t.equal(await first, 'local')
  t.equal(it.state, 'active')
  owner.on_close = () => {}
  const second = outcome(it.closed)
  await world.pump()
  t.equal(second.value, 'waits')
  await close(world, made)
})

/** Whoever subscribed then waited for ever. */
scene(t, 'the connection for messages is lost, and is not made again', async (t, world) => {
  const confirm: Answer = ([name, key]) =>
    name === 'SUBSCRIBE' ? list(['subscribe', key!, 1], '>') : undefined
  const made = await make(world, { reconnect: false }, confirm)
  const { it, server, owner } = made
  for (const n of [1, 2]) {
    const standing = outcome(it.subscribe('', 'a', () => {}, TEXT))
    await world.pump()
    t.equal(standing.value, undefined)
    server.peers[n]!.close()
    await world.pump()
  }
  t.same(owner.told, ['connect', 'disconnect ERR_CLOSED', 'disconnect ERR_CLOSED'])
  await close(world, made)
})
