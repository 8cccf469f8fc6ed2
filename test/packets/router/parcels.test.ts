/** Parcels between routers, over a relay that takes only so much. */

import t from 'tap'
import { ParcelReader, ParcelSender } from '../../../src/packets/router/parcels.ts'
import { type Relay, RelayError } from '../../../src/relay/relay.ts'

/** What the relay has taken. `most`: the bytes that it takes at once. */
function made(most: number) {
  const taken: Buffer[] = []
  const relay = {
    most,
    /** It is away after that many. */
    left: Infinity,
    publish(_: string, data: string | Buffer): boolean {
      const bytes = Buffer.from(data as string)
      if (bytes.length > this.most) throw new RelayError('ERR_RELAY_REFUSED', 'too long')
      return this.left-- > 0 && taken.push(bytes) > 0
    },
  }
  const sender = new ParcelSender(relay as unknown as Relay)
  const send = (text: string, from = 'ann'): boolean => sender.send('x', ['r1', from, 'bob'], text)
  return { relay, send, take: () => taken.splice(0) }
}

const long = 'grün 🐢 '.repeat(20_000)

t.test('what is small goes as it is; what the relay does not take at once, in parts', async t => {
  const { relay, send, take } = made(10_000)
  const reader = new ParcelReader('r2')
  const read = (): unknown[] => take().map(bytes => reader.read(bytes))
  t.equal(send('hello'), true)
  t.same(read(), [{ head: ['r1', 'ann', 'bob'], text: 'hello' }])
  t.equal(send(long), true)
  const parts = read()
  t.ok(parts.length > 20)
  t.same(parts.pop(), { head: ['r1', 'ann', 'bob'], text: long })
  t.ok(parts.every(part => part === undefined))
  relay.most = 5000
  send(long)
  send('line\n'.repeat(1000))
  t.same(
    read()
      .filter(part => part !== undefined)
      .map(parcel => (parcel as { text: string }).text.length),
    [long.length, 5000],
    'it has learned that less is taken now',
  )
  relay.left = 3
  t.equal(send(long), false, 'the relay goes away in the middle')
  relay.left = Infinity
  send(long)
  const later = read()
  t.same([later.length > 30, (later.pop() as { text: string }).text], [true, long])
})

t.test('what the relay does not take at all', async t => {
  const { relay, send, take } = made(100)
  for (const text of ['x'.repeat(200), 'x'.repeat(1500), long])
    t.throws(() => send(text), { code: 'ERR_RELAY_REFUSED' }, String(text.length))
  relay.most = Infinity
  t.throws(() => send('x'.repeat(64 * 1024 * 1024 + 1)), { message: /are more than 67108864/ })
  t.same(take(), [])
})

t.test('a part that was lost; routers that go; what is no parcel', async t => {
  const { send, take } = made(10_000)
  const reader = new ParcelReader('r2')
  const read = (bytes: Buffer): string | undefined | null => reader.read(bytes)?.text
  send(long)
  const [first, second, ...rest] = take()
  for (const lost of [
    [second!, ...rest],
    [first!, ...rest],
  ])
    t.ok(lost.every(part => read(part) === undefined))
  read(first!)
  reader.forget('r1')
  t.ok([second!, ...rest].every(part => read(part) === undefined))
  t.equal([first!, second!, ...rest].map(read).at(-1), long)
  const own = new ParcelReader('r1')
  t.equal(own.read(first!), undefined)
  const wrong = ['nonsense', 'x\ny', '[1,2,3]\n', '["a","b"]\n', '["a","b","c","d",1,1]\n', '{}\n']
  for (const text of wrong) t.equal(reader.read(Buffer.from(text)), null, text)
})

t.test('a parcel that never ends is dropped', async t => {
  const reader = new ParcelReader('r2')
  const head = (index: number): Buffer => Buffer.from(`["r1","a","b",1,${index},9]\n`)
  const part = Buffer.alloc(20 * 1024 * 1024)
  for (const index of [0, 1, 2, 3])
    t.equal(reader.read(Buffer.concat([head(index), part])), undefined)
  t.equal(reader.read(Buffer.concat([head(4), part])), undefined)
})
