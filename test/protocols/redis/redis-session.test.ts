/** One connection: logging in, replies in order, pushes, and what ends it. */

import t from 'tap'
import { Command } from '../../../src/protocols/redis/command.ts'
import type { RedisError } from '../../../src/protocols/redis/errors.ts'
import {
  isRefusal,
  RedisSession,
  type SessionOwner,
} from '../../../src/protocols/redis/redis-session.ts'
import type { Push } from '../../../src/protocols/redis/reply.ts'
import type { RedisOptions } from '../../../src/protocols/redis/target.ts'
import { scene, type World } from '../../kit.ts'
import { type Answer, blob, type FakeRedis, list, outcome, serve, target } from './kit.ts'

class Owner implements SessionOwner {
  readonly told: string[] = []
  readonly pushes: Push[] = []
  error: RedisError | undefined
  opened(): void {
    this.told.push('opened')
  }
  pushed(push: Push): unknown {
    this.pushes.push(push)
    return undefined
  }
  lost(_: RedisSession, error: RedisError, sent: readonly Command[], reason: string): void {
    this.error = error
    this.told.push(`lost ${error.code}, ${sent.length} sent, ${reason}`)
    for (const command of sent) command.lose(error)
  }
}

interface Made {
  readonly owner: Owner
  readonly session: RedisSession
  readonly server: FakeRedis
  call(...words: string[]): { value: unknown }
}

async function open(
  world: World,
  answer: Answer = () => undefined,
  options: RedisOptions = {},
  isSubscriber = false,
): Promise<Made> {
  const server = await serve(world, answer)
  const owner = new Owner()
  const session = new RedisSession(target(world, options), owner, isSubscriber)
  session.begin()
  await world.pump()
  const call = (...words: string[]): { value: unknown } => {
    const command = new Command(words)
    session.send(command)
    return outcome(command.promise)
  }
  return { owner, session, server, call }
}

scene(t, 'it logs in, as little as possible', async (t, world) => {
  const { owner, session, server } = await open(world)
  t.same(owner.told, ['opened'])
  t.same(
    server.peers[0]!.commands.map(words => words.join(' ')),
    ['HELLO 3', 'CLIENT SETINFO LIB-NAME sluice', 'PING'],
  )
  t.match(session, { isReady: true, protocol: 3, waiting: 0, isFull: false })
})

scene(t, 'it logs in, with everything', async (t, world) => {
  const { server } = await open(world, ([name]) => (name === 'CLIENT' ? '+OK\r\n' : undefined), {
    username: 'me',
    password: 'secret',
    client_name: 'x',
    db: 3,
  })
  t.same(
    server.peers[0]!.commands.map(words => words.join(' ')),
    [
      'HELLO 3 AUTH me secret',
      'CLIENT SETINFO LIB-NAME sluice',
      'CLIENT SETNAME x',
      'SELECT 3',
      'PING',
    ],
  )
})

// Only the words of Redis were known: with a proxy that has others the client closed.
scene(t, 'a server or a proxy without RESP3 is spoken to in RESP2', async (t, world) => {
  for (const refusal of [
    "ERR unknown command 'HELLO'",
    "ERR unsupported command 'HELLO'",
    'NOPROTO unsupported protocol version',
  ]) {
    const { server, session } = await open(
      world,
      ([name]) => (name === 'HELLO' ? `-${refusal}\r\n` : undefined),
      { password: 'secret' },
    )
    t.equal(session.protocol, 2)
    t.same(server.peers[0]!.commands[1], ['AUTH', 'secret'])
    server.close()
    await world.pump()
  }
})

scene(t, 'RESP2 that was asked for', async (t, world) => {
  const { server, session } = await open(world, undefined, {
    protocol: 2,
    username: 'me',
    password: 'x',
    connect_timeout: Infinity,
  })
  t.equal(session.protocol, 2)
  t.same(server.peers[0]!.commands[0], ['AUTH', 'me', 'x'])
})

scene(t, 'a login that the server refuses', async (t, world) => {
  const cases: [options: RedisOptions, refused: string, reply: string, isFinal: boolean][] = [
    [{ password: 'x' }, 'HELLO', '-WRONGPASS no\r\n', true],
    [{ password: 'x', protocol: 2 }, 'AUTH', '-WRONGPASS no\r\n', true],
    [{ db: 99 }, 'SELECT', '-ERR DB index is out of range\r\n', true],
    [{}, 'PING', '-LOADING Redis is loading the dataset in memory\r\n', false],
    [{}, 'HELLO', '-ERR max number of clients reached\r\n', false],
    [{}, 'HELLO', '-DENIED protected mode\r\n', true],
  ]
  for (const [i, [options, refused, reply, isFinal]] of cases.entries()) {
    await t.test(`${refused} ${reply}`, async t => {
      const { owner, server } = await open(
        world,
        ([name]) => (name === refused ? reply : undefined),
        options,
      )
      t.match(owner.told, [/^lost /], String(i))
      t.match(owner.error?.message, /^the server refused the login: /)
      t.equal(isRefusal(owner.error!), isFinal)
      server.close()
      await world.pump()
    })
  }
})

scene(t, 'whoever may not PING, or a server without it, may log in', async (t, world) => {
  for (const refusal of ['NOPERM no', "ERR unknown command 'PING'"]) {
    const { owner, server } = await open(world, ([name]) =>
      name === 'PING' ? `-${refusal}\r\n` : undefined,
    )
    t.same(owner.told, ['opened'])
    server.close()
    await world.pump()
  }
})

scene(t, 'a server that is silent', async (t, world) => {
  const { owner } = await open(world, () => '', { connect_timeout: 500 })
  await world.advance(500)
  t.same(owner.told, ['lost ERR_TIMEOUT, 0 sent, local'])
  t.notOk(isRefusal(owner.error!))
})

scene(t, 'nobody listens; and an engine that stops', async (t, world) => {
  const owner = new Owner()
  new RedisSession(target(world), owner).begin()
  await world.pump()
  t.same(owner.told, ['lost ERR_CLOSED, 0 sent, error'])
  t.match(owner.error, { cause: { code: 'ECONNREFUSED' } })
  const stopped = world.engine.stop()
  new RedisSession(target(world), owner).begin()
  t.match(owner.told[1], /lost ERR_CLOSED, 0 sent, drain/)
  await stopped
})

scene(t, 'replies come in the order of the commands, each in its encoding', async (t, world) => {
  const { session, call } = await open(world, ([name, key]) =>
    name === 'GET' ? blob(key!) : undefined,
  )
  const bytes = new Command(['GET', 'b'], null)
  const first = call('GET', 'a')
  session.send(bytes)
  const third = call('GET', 'c')
  t.equal(session.waiting, 3)
  await world.pump()
  t.same([first.value, await bytes.promise, third.value], ['a', Buffer.from('b'), 'c'])
  const alone = new Command(['GET', 'd'], null)
  session.send(alone)
  await world.pump()
  t.same(await alone.promise, Buffer.from('d'))
  t.same(alone.sends, 1)
})

scene(t, 'large words are sent as they are', async (t, world) => {
  let got: string[] = []
  const { session } = await open(world, words => {
    if (words[0] !== 'SET') return undefined
    got = words
    return '+OK\r\n'
  })
  const text = 'é'.repeat(50_000)
  const command = new Command(['SET', text, Buffer.alloc(70_000, 'x')])
  session.send(command)
  await world.pump()
  t.equal(await command.promise, 'OK')
  t.ok(got[1] === text && got[2] === 'x'.repeat(70_000))
})

scene(t, 'a server that does not read is full after a while', async (t, world) => {
  const { session, server } = await open(world)
  server.peers[0]!.suspend()
  let count = 0
  for (; !session.isFull && count < 1000; count++)
    session.send(new Command(['SET', 'a', 'x'.repeat(60_000)]))
  t.ok(count > 200 && count < 400, String(count))
  session.close()
})

scene(t, 'pushes are no replies, except for confirmations', async (t, world) => {
  const { owner, call } = await open(world, ([name, key]) => {
    if (name === 'GET')
      return `${list(['invalidate', 'x'], '>')}${blob(key!)}${list(['subscribe', 'y', 1], '>')}`
    return name === 'SUBSCRIBE' ? list(['subscribe', key!, 1], '>') : undefined
  })
  const get = call('GET', 'a')
  await world.pump()
  t.equal(get.value, 'a')
  t.same(
    owner.pushes.map(({ kind }) => kind),
    ['invalidate', 'subscribe'],
  )
  const subscribe = call('SUBSCRIBE', 'b')
  await world.pump()
  t.same(subscribe.value, ['b', 1])
  t.equal(owner.pushes.length, 2)
})

scene(t, 'a subscriber in RESP2 gets its messages as arrays', async (t, world) => {
  const answer: Answer = ([name, key]) =>
    name === 'SUBSCRIBE'
      ? `${list(['subscribe', key!, 1])}${list(['message', key!, 'hi'])}`
      : name === 'PING'
        ? list(['pong', ''])
        : undefined
  const { owner, session, call } = await open(world, answer, { protocol: 2 }, true)
  session.show(null)
  const both = [call('SUBSCRIBE', 'a'), call('PING')]
  await world.pump()
  t.same(both[0]!.value, [Buffer.from('a'), 1])
  t.same(both[1]!.value, [Buffer.from('pong'), Buffer.from('')])
  t.match(owner.pushes, [{ kind: 'message', data: [Buffer.from('a'), Buffer.from('hi')] }])
})

scene(t, 'garbage, and a reply that nobody has asked for', async (t, world) => {
  for (const [text, code] of [
    ['HTTP/1.1 400\r\n', 'ERR_PROTOCOL'],
    ['*1\r\n'.repeat(1000), 'ERR_OVERFLOW'],
    ['+OK\r\n+OK\r\n', 'ERR_PROTOCOL'],
  ] as const) {
    const { owner, server, call } = await open(world, ([name]) =>
      name === 'GET' ? text : undefined,
    )
    const both = [call('GET', 'a'), call('SET', 'a', 'b')]
    await world.pump()
    const isStray = text.startsWith('+')
    t.equal(both[1]!.value, isStray ? 'OK' : code)
    if (isStray) server.peers[0]!.write('+OK\r\n')
    await world.pump()
    t.match(owner.told[1], new RegExp(`^lost ${code}, `))
    server.close()
    await world.pump()
  }
})

scene(t, 'the server ends the connection', async (t, world) => {
  const { owner, call } = await open(world, ([name], peer) => {
    if (name === 'GET') peer.end()
    return undefined
  })
  const get = call('GET', 'a')
  await world.pump()
  t.equal(get.value, 'ERR_CLOSED')
  t.same(owner.told, ['opened', 'lost ERR_CLOSED, 1 sent, remote'])
  t.match(owner.error?.message, /^the server ended/)
})

/**
 * A subscriber that reads too slowly is cut off by Redis in the middle of a message, without an
 * error. That looked like any other end.
 */
scene(t, 'the server ends it in the middle of a message', async (t, world) => {
  for (const isSubscriber of [false, true]) {
    const { owner, server } = await open(world, undefined, {}, isSubscriber)
    server.peers.at(-1)!.write('>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$100\r\nxxx')
    server.peers.at(-1)!.end()
    await world.pump()
    t.equal(owner.error?.code, 'ERR_CUT_OFF')
    t.equal(/too slowly/.test(owner.error!.message), isSubscriber)
    server.close()
    await world.pump()
  }
})

scene(t, 'closing politely waits for the replies', async (t, world) => {
  const { owner, session, server, call } = await open(world)
  const get = call('GET', 'a')
  await world.pump()
  session.end()
  await world.pump()
  t.equal(get.value, 'waits')
  server.peers[0]!.write('$1\r\nx\r\n')
  await world.pump()
  t.equal(get.value, 'x')
  t.same(owner.told, ['opened', 'lost ERR_CLOSED, 0 sent, local'])
})

scene(t, 'closing politely when nothing waits; and at once', async (t, world) => {
  const idle = await open(world)
  idle.session.end()
  await world.pump()
  t.match(idle.owner.told[1], /^lost ERR_CLOSED, 0 sent, local/)
  idle.server.close()
  await world.pump()
  const busy = await open(world)
  const get = busy.call('GET', 'a')
  busy.session.close()
  await world.pump()
  t.equal(get.value, 'ERR_CLOSED')
})

/** A subscriber heard nothing for ever if the server stood still, or the network had gone. */
scene(t, 'a server that is silent is asked, and then given up', async (t, world) => {
  let isSilent = false
  const answer: Answer = ([name]) => (name === 'PING' && isSilent ? '' : undefined)
  const { owner, session, server, call } = await open(world, answer, { ping_interval: 1000 })
  const peer = server.peers[0]!
  const push = list(['invalidate', 'x'], '>')
  const pings = (): number => peer.commands.filter(([name]) => name === 'PING').length - 1
  await pass(world, 5000)
  const asked = pings()
  t.ok(asked > 0)
  for (let i = 0; i < 6; i++) {
    peer.write(push)
    await pass(world, 500)
  }
  t.equal(pings(), asked, 'whatever comes is a sign of life')
  isSilent = true
  // What a silence means nothing in.
  call('WAIT', '1', '0')
  await pass(world, 5000)
  peer.write(':0\r\n')
  const blocking = new Command(['BLPOP', 'a', '0'])
  blocking.isBlocking = true
  session.send(blocking)
  await pass(world, 5000)
  peer.write('*-1\r\n')
  await world.pump()
  session.isQueueing = true
  await pass(world, 5000)
  session.isQueueing = false
  let goOn = (): void => {}
  owner.pushed = () => new Promise<void>(resolve => (goOn = resolve))
  peer.write(push)
  await pass(world, 5000)
  t.same([pings(), owner.told], [asked, ['opened']])
  goOn()
  const get = call('GET', 'a')
  await pass(world, 3000)
  t.equal(pings(), asked + 1)
  t.same([owner.told[1], get.value], ['lost ERR_STALE, 1 sent, local', 'ERR_STALE'])
  t.equal(owner.error!.message, 'the server gave no sign of life for 2000 ms')
})

scene(t, 'what answers a ping in RESP2 where it subscribes; no pings', async (t, world) => {
  let pong: string | undefined
  const options = { protocol: 2, ping_interval: 1000 } as const
  const { owner, server, session } = await open(
    world,
    ([name]) => (name === 'PING' ? pong : undefined),
    options,
    true,
  )
  pong = list(['pong', ''])
  await pass(world, 5000)
  t.ok(server.peers[0]!.commands.filter(([name]) => name === 'PING').length > 2)
  t.same([owner.told, owner.pushes, session.waiting], [['opened'], [], 0])
  server.close()
  await world.pump()
  const never = await open(world, undefined, { ping_interval: Infinity })
  await pass(world, 5000)
  t.same([never.server.peers[0]!.news, never.owner.told], [[], ['opened']])
})

/** Time passes in small steps, and what is sent arrives. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) await world.advance(100)
}

/** A server that was stopped held `end()` for ever, and with it the process. */
scene(t, 'closing politely ends, whatever the server does', async (t, world) => {
  const { session, call } = await open(world)
  const get = call('GET', 'a')
  await world.pump()
  session.end()
  session.end()
  await world.advance(29_999)
  t.equal(get.value, 'waits')
  await world.advance(1)
  t.equal(get.value, 'ERR_CLOSED')
})

scene(t, 'TLS begins with the first byte', async (t, world) => {
  const server = await serve(world)
  const owner = new Owner()
  new RedisSession(target(world, { tls: {} }), owner).begin()
  await world.pump()
  t.same(server.peers[0]!.commands, [])
  t.match(owner.told, [/^lost ERR_CLOSED/])
})
