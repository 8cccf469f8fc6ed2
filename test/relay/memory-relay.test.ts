import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { MemoryRelay } from '../../src/relay/memory-relay.ts'
import { scene, thrown } from '../kit.ts'
import { conformance } from './conformance.ts'

await conformance(t, 'memory', () => {
  const relay = new MemoryRelay({ engine: new Engine({ log() {} }), history: 20 })
  return { a: relay, b: relay }
})

await scene(t, 'old entries are trimmed', async (t, { engine, clock, pump, logged }) => {
  const relay = new MemoryRelay({ engine, history_age: 100 })
  const first = await relay.append('x', '1')
  clock.advance(60)
  await relay.append('x', '2')
  clock.advance(60)
  t.strictSame(
    (await relay.read_after('x', 0)).entries.map(({ bytes }) => bytes.toString()),
    ['2'],
  )
  clock.advance(200)
  t.strictSame(await relay.read_after('x', 0), { entries: [], first: first + 2, last: first + 1 })
  t.equal(await relay.append('x', '3'), first + 2, 'the seqs go on')
  await pump()
  await relay.subscribe('x', () => {
    throw new Error('mine')
  })
  relay.publish('x', '')
  await pump()
  t.strictSame(logged, ['a listener of "x" threw: mine'])
})

// A peer that makes up topics would fill the memory.
await scene(t, 'the histories of all topics are bounded', async (t, { engine }) => {
  const relay = new MemoryRelay({ engine })
  const megabyte = Buffer.alloc(1024 * 1024)
  const first = await relay.append('0', megabyte)
  for (let i = 1; i < 60; i++) await relay.append(`${i}`, megabyte)
  await relay.append('0', 'again')
  for (let i = 60; i < 70; i++) await relay.append(`${i}`, megabyte)
  const held = async (topic: string): Promise<number> =>
    (await relay.read_after(topic, 0)).entries.length
  t.strictSame([await held('0'), await held('1'), await held('69')], [2, 0, 1])
  t.ok((await relay.append('1', 'again')) > first, 'a new life of the topic is ahead of the old')
  const big = new MemoryRelay({ engine, history: 3 })
  await big.append('x', Buffer.alloc(70 * 1024 * 1024))
  t.equal((await big.read_after('x', 0)).entries.length, 1, 'what was just appended is held')
  await relay.close()
})

// A topic that was used once stayed for ever, and cost nothing by the count of bytes.
await scene(t, 'topics are bounded, too, and forgotten', async (t, { engine, clock }) => {
  const relay = new MemoryRelay({ engine, history_age: 1000 })
  const name = (n: number): string => `${n}`.padEnd(1024)
  for (let n = 0; n < 25_000; n++) await relay.append(name(n), '')
  t.equal((await relay.read_after(name(0), 0)).last, 0)
  t.not((await relay.read_after(name(24_999), 0)).last, 0)
  const seq = await relay.append('old', '')
  clock.advance(86_400_000)
  await relay.append('new', '')
  t.strictSame(await relay.read_after('old', 0), { entries: [], first: seq + 1, last: seq })
  clock.advance(2000)
  await relay.append('new', '')
  t.strictSame(await relay.read_after('old', 0), { entries: [], first: 1, last: 0 })
  t.not((await relay.read_after('new', 0)).last, 0)
})

t.test('watching twice, and gone before the first call', async t => {
  const relay = new MemoryRelay()
  const calls: string[] = []
  const listener = (came: readonly string[]): void => void calls.push(came.join())
  await relay.present('x', 'ann')
  await Promise.all([relay.watch('x', listener), relay.watch('x', listener)])
  t.strictSame(calls, ['ann'])
  const never = (): void => void calls.push('never')
  const watching = relay.watch('y', never)
  await relay.present('y', 'ann')
  relay.unwatch('y', never)
  await watching
  t.strictSame(calls, ['ann'])
})

t.test('options', async t => {
  for (const wrong of [{ history: 0 }, { history_age: -1 }, { lease: '5' }, { histroy: 5 }, null])
    t.equal(
      thrown(() => new MemoryRelay(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
