import t from 'tap'
import { copy, Target } from '../../../src/commands/cat/copy.ts'
import type { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { fate } from '../../kit.ts'
import { dataOf, stage } from '../../messages/kit.ts'

stage(t, 'from one to the other', async (t, { context, clock }) => {
  const from = context.init('direct://;name=m').open()
  const to = context.init('mem://;name=q').open()
  const out = context.init('mem://;master=q').open()
  const source = context.init('direct://;master=m').open()
  const texts = dataOf(out)
  copy(from, new Target(to))
  source.post({ data: 'a', msgid: 5, seq: 6n })
  source.post({ type: 'control', msgid: 10 })
  clock.advance(0)
  t.strictSame(texts, ['a'], 'data alone')
})

stage(t, 'while there is no room it waits, and keeps the order', async (t, { context, pump }) => {
  const zero = context.init('zero://;size=10b')
  const to = context.init('mem://;name=q;size=64b').open()
  const out = context.init('mem://;master=q').open()
  out.suspend()
  const seqs: bigint[] = []
  out.on_message = ({ seq }) => {
    if (seqs.push(seq) === 100) zero.close()
  }
  copy(zero, new Target(to))
  zero.open()
  await pump()
  t.equal(zero.dcaps.has('pending'), true)
  out.resume()
  while (seqs.length < 100) await pump()
  t.strictSame(
    seqs.slice(0, 100),
    Array.from({ length: 100 }, (_, index) => BigInt(index)),
  )
})

stage(
  t,
  'posts that cannot wait queue up; a target that closes ends the wait',
  async (t, { context, pump }) => {
    const to = context.init('mem://;name=q;size=64b').open()
    const out = context.init('mem://;master=q').open()
    out.suspend()
    const texts = dataOf(out)
    const target = new Target(to)
    const posts = ['one', 'two', 'three', 'four', 'five', 'six'].map(data =>
      target.post({ data: data.padEnd(20) }),
    )
    t.equal(posts[0], undefined)
    t.ok(posts[5] instanceof Promise)
    out.resume()
    while (texts.length < 6) await pump()
    await posts[5]
    t.strictSame(
      texts.map(each => each.trim()),
      ['one', 'two', 'three', 'four', 'five', 'six'],
    )
    out.suspend()
    const waits = ['x', 'y', 'z'].map(data => target.post({ data: data.padEnd(40) }))
    to.close(true)
    await pump()
    await waits[2]
    await target.idle
    t.strictSame(target.lost, { messages: 2, bytes: 80 }, 'nothing waits for ever')
  },
)

stage(t, 'a server: all its peers', async (t, { context, pump }) => {
  const server = context.init('tcp://:1;mode=server;frame=line').open()
  const target = new Target(server)
  await pump()
  // It was dropped in silence.
  const first = target.post({ data: 'the first' })
  t.strictSame(target.lost, { messages: 1, bytes: 9 }, 'it waits for a peer')
  const peers = [
    context.init('tcp://:1;frame=line').open(),
    context.init('tcp://:1;frame=line').open(),
  ]
  const texts = peers.map(dataOf)
  await pump()
  await first
  target.post({ data: 'both' })
  await pump()
  peers[0]!.close()
  await pump()
  target.post({ data: 'one' })
  await pump()
  t.strictSame(texts[1], [...texts[0]!, 'one'].slice(-texts[1]!.length))
  t.strictSame([texts[0]!.at(-1), target.lost.messages], ['both', 0])
})

stage(t, 'a server: a peer that has no room, and one that leaves', async (t, { context, pump }) => {
  const server = context.init('mem://;mode=server;name=s;size=64b').open()
  const target = new Target(server)
  const [slow, good] = [context.init('mem://;master=s'), context.init('mem://;master=s')]
  const texts = dataOf(good.open())
  slow.open().suspend()
  await pump()
  target.post({ data: 'x'.repeat(40) })
  const second = target.post({ data: 'y' })
  t.equal(await fate(second as Promise<void>), 'open')
  await pump()
  await pump()
  t.strictSame(texts, ['x'.repeat(40), 'y'], 'the other one has it')
  t.equal(target.lost.messages, 0)
  slow.close()
  await pump()
  await second
  good.close()
  await pump()
  const third = target.post({ data: 'z' })
  t.equal(await fate(third as Promise<void>), 'open', 'nobody is there')
  server.close()
  await third
  t.strictSame(target.lost, { messages: 1, bytes: 1 })
})

// It was told to the channel that the message came from, and logged, no more.
stage(t, 'messages that are refused', async (t, { context }) => {
  const refused: unknown[] = []
  const target = new Target(
    context.init('mem://;size=64b').open(),
    error => void refused.push((error as Error).message),
  )
  t.equal(target.post({ data: 'x'.repeat(100) }), undefined)
  t.equal(target.post({ data: 'x' }), undefined)
  t.match(refused, [/post: data must be at most 48 bytes long/])
  t.strictSame(target.lost, { messages: 1, bytes: 100 })
  t.equal(target.post({}), undefined)
})

// The peers of the last opening were waited for, for ever.
stage(t, 'a server that is opened again', async (t, { context, clock, pump }) => {
  const server = context.init('reopen+mem://;mode=server;name=s;timeout-min=1ms')
  server.on_error = () => {}
  const target = new Target(server)
  server.open()
  context.init('mem://;master=s').open()
  await pump()
  ;(server as Prefix).child.close(true)
  const waits = target.post({ data: 'x' }) as Promise<void>
  clock.advance(10)
  const texts = dataOf(context.init('mem://;master=s').open())
  await pump()
  await waits
  await pump()
  t.strictSame(texts, ['x'])
})

stage(
  t,
  'a server of packets answers the peer that it heard last',
  async (t, { context, pump }) => {
    const server = context.init('udp://127.0.0.1:1;mode=server').open()
    const target = new Target(server)
    const peers = [
      context.init('udp://127.0.0.1:1').open(),
      context.init('udp://127.0.0.1:1').open(),
    ]
    const texts = peers.map(dataOf)
    await pump()
    peers[0]!.post('a')
    await pump()
    peers[1]!.post('b')
    await pump()
    target.post({ data: 'answer' })
    await pump()
    t.strictSame(texts, [[], ['answer']])
  },
)

stage(t, 'a channel that is not open yet', async (t, { context, pump }) => {
  context.init('tcp://:1;mode=server;frame=line').open()
  const client = context.init('tcp://:1;frame=line')
  const target = new Target(client)
  client.open()
  const waits = target.post({ data: 'x' }) as Promise<void>
  t.equal(await fate(waits), 'open')
  await pump()
  await waits
  t.equal(target.lost.messages, 0)
})
