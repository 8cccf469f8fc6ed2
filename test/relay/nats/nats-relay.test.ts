/** The relay by a real nats-server, which is killed, stopped and started again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { NatsRelay, type NatsRelayOptions } from '../../../src/relay/nats/nats-relay.ts'
import { open_relay } from '../../../src/relay/open-relay.ts'
import { bareNode } from '../../built.ts'
import { fate, thrown, until } from '../../kit.ts'
import { HAS_NATS } from '../../protocols/nats/nats-server.ts'
import { conformance } from '../conformance.ts'
import { DelayedRelay } from '../delayed-relay.ts'
import { relay, server } from './kit.ts'

const skip = HAS_NATS ? false : 'nats-server is not installed'

const AWAY = 'rejected ERR_RELAY_UNAVAILABLE'

await t.test('what every relay promises, also if all is late', { skip }, async t => {
  const one = await server(t)
  let count = 0
  const make = (t: Test): NatsRelay[] => {
    const prefix = `p${count++}`
    return [relay(t, one.url, { prefix }), relay(t, one.url, { prefix })]
  }
  await conformance(t, 'nats', t => {
    const [a, b] = make(t)
    return { a: a!, b: b! }
  })
  await conformance(t, 'nats, delayed', t => {
    const [a, b] = make(t).map(each => new DelayedRelay(each))
    return { a: a!, b: b! }
  })
})

/** What a subscriber heard, with its gaps. What was appended has its seq behind it. */
async function hear(it: NatsRelay, topic = 'x'): Promise<string[]> {
  const heard: string[] = []
  const listener = (bytes: Buffer, seq?: number): void =>
    void heard.push(seq === undefined ? `${bytes}` : `${bytes}!${seq}`)
  await it.subscribe(topic, listener, { on_gap: () => void heard.push('gap') })
  return heard
}

async function two(t: Test, url: string, options?: NatsRelayOptions): Promise<NatsRelay[]> {
  const both = [relay(t, url, options), relay(t, url, options)]
  await Promise.all(both.map(({ opened }) => opened))
  return both
}

await t.test('an appended message, and what is published after it', { skip }, async t => {
  const nats = await server(t)
  const [a, b] = (await two(t, nats.url)) as [NatsRelay, NatsRelay]
  const heard = await hear(b)
  const seqs: Promise<number>[] = []
  for (let i = 0; i < 300; i++) {
    a.publish('x', `p${i}`)
    seqs.push(a.append('x', `a${i}`))
  }
  const expected: string[] = []
  for (let i = 0; i < 300; i++) expected.push(`p${i}`, `a${i}!${await seqs[i]}`)
  await until(() => heard.length === 600)
  t.strictSame(heard, expected)
})

await t.test('a server that is killed, and comes back with its files', { skip }, async t => {
  const nats = await server(t)
  const [a, b] = (await two(t, nats.url, { history: 1000 })) as [NatsRelay, NatsRelay]
  const heard = await hear(b)
  const first = await a.append('x', 'one')
  const onTheirWay = Array.from({ length: 200 }, (_, index) => a.append('x', `lost ${index}`))
  await onTheirWay[20]
  await nats.kill()
  const settled = await Promise.allSettled(onTheirWay)
  const stored: number[] = []
  for (const each of settled)
    if (each.status === 'fulfilled') stored.push(each.value)
    else t.match(each.reason, { code: 'ERR_RELAY_UNAVAILABLE' })
  await until(() => a.publish('x', 'nobody') === false)
  t.equal(await fate(a.append('x', 'no')), AWAY, 'it is refused at once')
  const read = b.read_after('x', first)
  const subscribed = b.subscribe('y', () => {})
  await nats.start()
  await subscribed
  // What was acknowledged is there; of the others each is there once, or not.
  const { entries, last } = await read
  const texts = entries.map(({ bytes }) => `${bytes}`)
  t.strictSame(
    entries.map(({ seq }) => seq),
    Array.from({ length: last - first }, (_, index) => first + 1 + index),
  )
  t.strictSame(
    texts,
    texts.map((_, index) => `lost ${index}`),
  )
  t.ok(last >= stored.at(-1)!)
  await until(() => heard.includes('gap') && a.publish('x', 'two'))
  await until(() => heard.includes('two'))
  t.ok(heard.indexOf('gap') < heard.indexOf('two'), 'the gap is told before what comes after it')
  t.equal(heard.filter(each => each === 'gap').length, 1)
  t.equal(await a.append('x', 'three'), last + 1, 'the seqs go on')
})

await t.test('a server that is killed, and comes back empty', { skip }, async t => {
  const nats = await server(t)
  const [a, b] = (await two(t, nats.url)) as [NatsRelay, NatsRelay]
  const heard = await hear(b)
  const seq = await a.append('x', 'one')
  await nats.kill()
  await until(() => a.publish('x', '') === false)
  await nats.clear()
  await nats.start()
  await until(() => heard.includes('gap'))
  t.strictSame(await b.read_after('x', seq), { entries: [], first: 1, last: 0 })
  await until(() => a.publish('y', ''))
  t.ok((await a.append('x', 'two')) > seq, 'an old seq never names a new entry')
})

await t.test('a server that stands still', { skip }, async t => {
  const nats = await server(t)
  const options = { lease: 300, nats: { request_timeout: 150 } }
  const [a, b] = (await two(t, nats.url, options)) as [NatsRelay, NatsRelay]
  const heard = await hear(b)
  const seen: string[] = []
  await b.watch('x', (came, went) => void seen.push(`+${came}-${went}`))
  await a.present('x', 'ann')
  await until(() => seen.includes('+ann-'))
  nats.signal('SIGSTOP')
  const stopped = a.append('x', 'unknown')
  // A busy machine stops it a little later.
  const outcome = await stopped.catch(({ code }) => code)
  t.ok(typeof outcome === 'number' || outcome === 'ERR_RELAY_UNAVAILABLE')
  const next = a.append('x', 'next')
  await next.catch(() => {})
  nats.signal('SIGCONT')
  // Each of both is stored once at the most, and the next one is behind them.
  let last = 0
  await until(() => a.publish('x', 'on'))
  for (let done = false; !done;)
    await a.append('x', 'last').then(
      seq => ((done = true), (last = seq)),
      () => {},
    )
  await until(() => heard.includes(`last!${last}`))
  const appended = heard.filter(each => each.includes('!')).map(each => each.split('!')[0])
  t.equal(appended.filter(each => each === 'unknown').length <= 1, true)
  t.equal(appended.filter(each => each === 'next').length <= 1, true)
  t.equal(heard.includes('gap'), false, 'nothing was interrupted')
  t.strictSame(seen, ['+-', '+ann-'], 'nobody has gone meanwhile')
})

/** Starts a process with a relay, and resolves when it is there. */
async function other(url: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./other-process.js', import.meta.url))
  const child = spawn(...bareNode([script, url]), { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

await t.test('two processes, and one of them dies', { skip }, async t => {
  const nats = await server(t)
  const one = relay(t, nats.url, { lease: 400, history: 100_000 })
  await one.opened
  const heard = await hear(one)
  const seen: string[] = []
  await one.watch('x', (came, went) => void seen.push(`+${came}-${went}`))
  const child = await other(nats.url)
  t.teardown(() => child.kill('SIGKILL'))
  await until(() => seen.includes('+other-') && heard.length > 40)
  const [, seq] = heard.find(each => each.includes('!'))!.split('!')
  const mine = await one.append('x', 'mine')
  // The server restarts while the other process goes on.
  await nats.kill()
  await nats.start()
  await until(() => heard.includes('gap') && heard.length - heard.indexOf('gap') > 40)
  t.equal(seen.length, 2, 'nobody went with the server')
  child.kill('SIGKILL')
  await until(() => seen.includes('+-other'))
  const { entries, last } = await one.read_after('x', Number(seq) - 1, 100_000)
  t.equal(entries.length, last - Number(seq) + 1, 'the seqs are without a hole')
  t.ok(entries.some(each => each.seq === mine))
  const stored = new Set(entries.map(each => `${each.bytes}!${each.seq}`))
  const appended = heard.filter(each => each.includes('!'))
  t.ok(appended.every(each => stored.has(each)))
  t.equal(new Set(appended).size, appended.length, 'each came once')
  const numbers = heard.filter(each => /^\d/.test(each)).map(each => parseInt(each, 10))
  t.ok(
    numbers.every((n, at) => at === 0 || n > numbers[at - 1]!),
    'in the order in which it was sent',
  )
})

await t.test('without JetStream: messages only', { skip }, async t => {
  const nats = await server(t, 'none')
  const [a, b] = (await two(t, nats.url)) as [NatsRelay, NatsRelay]
  const heard = await hear(b)
  a.publish('x', 'hi')
  await until(() => heard.length === 1)
  const calls: Promise<unknown>[] = [
    a.append('x', 'no'),
    a.read_after('x', 0),
    a.present('x', 'ann'),
    a.watch('x', () => {}),
  ]
  for (const call of calls)
    await t.rejects(call as Promise<void>, { code: 'ERR_RELAY_REFUSED', message: /no JetStream/ })
  a.publish('x', 'still here')
  await until(() => heard.length === 2)
})

await t.test('what the server refuses', { skip }, async t => {
  const nats = await server(
    t,
    `max_payload: 2000
     authorization { users = [
       { user: a, password: a, permissions: { subscribe: ["_INBOX.>"] } }
       { user: b, password: b }
     ] }`,
  )
  const wrong = relay(t, nats.url.replace('//', '//a:wrong@'))
  await t.rejects(wrong.opened, { code: 'ERR_RELAY_REFUSED' })
  for (const call of [
    async () => wrong.publish('x', ''),
    () => wrong.append('x', ''),
    () => wrong.subscribe('x', () => {}),
  ])
    await t.rejects(call() as Promise<void>, {
      code: 'ERR_RELAY_REFUSED',
      message: /Authorization Violation/,
      cause: { code: 'ERR_NATS_AUTH' },
    })
  const [a] = await two(t, nats.url.replace('//', '//a:a@'))
  await t.rejects(
    a!.subscribe('x', () => {}),
    { code: 'ERR_RELAY_REFUSED' },
  )
  await t.rejects(
    a!.watch('x', () => {}),
    { code: 'ERR_RELAY_REFUSED' },
  )
  const [b] = await two(t, nats.url.replace('//', '//b:b@'))
  t.equal(
    thrown(() => b!.publish('x', 'x'.repeat(2001))),
    'ERR_RELAY_REFUSED',
  )
  await t.rejects(b!.append('x', 'x'.repeat(2001)), { code: 'ERR_RELAY_REFUSED' })
  t.type(await b!.append('x', 'x'), 'number')
})

await t.test('before there is a server; options; by URL', { skip }, async t => {
  const nats = await server(t)
  await nats.kill()
  const one = relay(t, nats.url)
  t.equal(one.publish('x', ''), false)
  const calls = [one.append('x', 'early'), one.subscribe('x', () => {}), one.present('x', 'ann')]
  await until(() => (one as unknown as { logged: string[] }).logged.length > 0)
  await nats.start()
  t.type(await calls[0], 'number')
  await Promise.all(calls)
  const never = relay(t, 'nats://127.0.0.1:1')
  const waiting = never.append('x', '')
  t.equal(await fate(never.append('x', Buffer.alloc(2 ** 24))), 'rejected ERR_RELAY_UNAVAILABLE')
  await never.close()
  t.equal(await fate(waiting), 'rejected ERR_RELAY_CLOSED')
  t.equal(await fate(never.opened), 'rejected ERR_RELAY_CLOSED')
  for (const wrong of [
    { histroy: 1 },
    { history: 0 },
    { lease: -1 },
    { prefix: 'a.b' },
    { nats: 5 },
  ])
    t.equal(
      thrown(() => new NatsRelay(nats.url, wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => new NatsRelay('nats://')),
    'ERR_INVALID_ADDRESS',
  )
  const by = open_relay(nats.url)
  t.ok(by instanceof NatsRelay)
  await by.close()
})
