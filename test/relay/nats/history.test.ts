/** What is appended: its seqs, who is faster, what is read, and what waits behind it. */

import t, { type Test } from 'tap'
import { History } from '../../../src/relay/nats/history.ts'
import type { NatsLine } from '../../../src/relay/nats/nats-line.ts'
import { until } from '../../kit.ts'
import { HAS_NATS } from '../../protocols/nats/nats-server.ts'
import { line, server } from './kit.ts'

const HOUR = 3_600_000

function history(
  title: string,
  body: (t: Test, one: NatsLine, histories: [History, History]) => Promise<void>,
): void {
  void t.test(title, { skip: !HAS_NATS && 'nats-server is not installed' }, async t => {
    const nats = await server(t)
    const lines = [await line(t, nats.url), await line(t, nats.url)] as const
    const [one, two] = lines.map(each => new History(each, 'p', 20, HOUR))
    await body(t, lines[0], [one!, two!])
  })
}

const bytes = (text: string): Buffer => Buffer.from(text)

history('two that append at the same time', async (t, _, [one, two]) => {
  const first = await one.append('x', bytes('0'))
  t.ok(first > 1e15)
  // Each believes that it knows the last entry.
  t.equal(await two.append('x', bytes('1')), first + 1)
  const seqs = await Promise.all(
    Array.from({ length: 10 }, (_, i) => [one, two][i % 2]!.append('x', bytes(`${i}`))),
  )
  t.strictSame(
    [...seqs].sort(),
    Array.from({ length: 10 }, (_, i) => first + 2 + i),
  )
})

history('reading', async (t, line, [one]) => {
  t.strictSame(await one.read('x', 0, 10), { entries: [], first: 1, last: 0 })
  const first = await one.append('x', bytes('0'))
  for (let i = 1; i <= 30; i++) {
    await one.append('x', bytes(`${i}`))
    await one.append('y', bytes('other'))
  }
  const read = async (after: number, limit: number): Promise<unknown[]> => {
    const { entries, first: from, last } = await one.read('x', first + after, limit)
    return [entries.map(each => `${each.bytes}:${each.seq - first}`), from - first, last - first]
  }
  t.strictSame(await read(28, 10), [['29:29', '30:30'], 11, 30])
  t.strictSame(await read(27, 1), [['28:28'], 11, 30])
  t.strictSame(await read(30, 10), [[], 11, 30])
  t.strictSame(await read(0, 2), [['11:11', '12:12'], 11, 30], 'what is gone is gone')
  // The first entries go between the questions.
  const { streams } = line
  const real = streams.message.bind(streams)
  streams.message = async (stream, which) => {
    const record = await real(stream, which)
    if ('next_of' in which) await streams.purge_stream(stream, { subject: 'p.history.x', keep: 2 })
    return record
  }
  t.strictSame(await read(0, 2), [['29:29', '30:30'], 29, 30])
  streams.message = async (stream, which) => ('next_of' in which ? undefined : real(stream, which))
  t.strictSame(await read(0, 2), [[], 31, 30], 'all of them')
})

history('a stream that somebody has deleted, and one that is not ours', async (t, line, [one]) => {
  const first = await one.append('x', bytes('0'))
  await line.streams.delete_stream('p_history')
  const second = await one.append('x', bytes('1'))
  t.ok(second > first + 1, 'it begins again, higher')
  await line.streams.publish('p.history.y', 'without a seq')
  t.ok((await one.append('y', bytes('0'))) >= second)
  one.forget()
  t.equal(await one.append('x', bytes('2')), second + 1)
  await t.rejects(one.append('x', Buffer.alloc(2 * 1024 * 1024)) as Promise<never>, {
    code: 'ERR_RELAY_REFUSED',
  })
})

history('what is published behind an entry', async (t, line, [one]) => {
  const heard: string[] = []
  line.client.subscribe('p.live.x', message => {
    const seq = one.heard('x', message)
    heard.push(`${message.text.slice(0, 5)}${seq === undefined ? '' : '!'}`)
  })
  t.equal(one.publish('x', bytes('1')), true)
  const appended = one.append('x', bytes('2'))
  t.equal(one.publish('x', bytes('3')), true)
  // It is found too long when its turn comes.
  t.equal(one.publish('x', Buffer.alloc(2 * 1024 * 1024)), true)
  for (let i = 0; i < 13; i++) one.publish('x', Buffer.alloc(1024 * 1024, 'z'))
  t.equal(one.publish('x', Buffer.alloc(1024 * 1024)), false, 'too much waits')
  t.throws(() => one.append('y', Buffer.alloc(1024 * 1024)), { code: 'ERR_RELAY_UNAVAILABLE' })
  await appended
  await until(() => heard.length === 16)
  t.strictSame(heard.slice(0, 4), ['1', '2!', '3', 'zzzzz'])
  // What waits when the server goes away is dropped, or refused.
  const sent = one.append('x', bytes('4'))
  one.publish('x', bytes('5'))
  const lost = one.append('x', bytes('6'))
  line.state = 'away'
  await sent
  await t.rejects(lost as Promise<never>, { code: 'ERR_RELAY_UNAVAILABLE' })
  line.state = 'standing'
  await line.client.flush()
  t.strictSame(heard.slice(16), ['4!'])
})

history('what is known is bounded', async (t, line, [one]) => {
  let calls = 0
  const { streams } = line
  const real = streams.message.bind(streams)
  streams.message = (stream, which) => {
    calls++
    return real(stream, which)
  }
  await one.append('x', bytes('1'))
  await one.append('x', bytes('2'))
  t.equal(calls, 1)
  const message = { header: (name: string) => (name === 'Sluice-Seq' ? '7' : '8') }
  for (let i = 0; i < 10_000; i++) one.heard(`t${i}`, message as never)
  t.equal(one.heard('again', message as never), 7)
  await one.append('x', bytes('3'))
  t.equal(calls, 2)
})
