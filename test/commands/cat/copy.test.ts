import t from 'tap'
import { copy, Target } from '../../../src/commands/cat/copy.ts'
import { dataOf, stage } from '../../messages/kit.ts'

stage(t, 'from one to the other, until it is ended', async (t, { context, clock }) => {
  const from = context.init('direct://;name=m').open()
  const to = context.init('mem://;name=q').open()
  const out = context.init('mem://;master=q').open()
  const source = context.init('direct://;master=m').open()
  const texts = dataOf(out)
  const end = copy(from, to)
  source.post({ data: 'a', msgid: 5, seq: 6n })
  source.post({ type: 'control', msgid: 10 })
  clock.advance(0)
  t.strictSame(texts, ['a'], 'data alone')
  end()
  source.post('b')
  clock.advance(0)
  t.equal(texts.length, 1)
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
  copy(zero, to)
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
    t.pass('nothing waits for ever')
    target.release()
  },
)

stage(t, 'a server: all its peers', async (t, { context, pump }) => {
  const server = context.init('tcp://:1;mode=server;frame=line').open()
  const target = new Target(server)
  await pump()
  t.equal(target.post({ data: 'nobody' }), undefined)
  const peers = [
    context.init('tcp://:1;frame=line').open(),
    context.init('tcp://:1;frame=line').open(),
  ]
  const texts = peers.map(dataOf)
  await pump()
  target.post({ data: 'both' })
  await pump()
  peers[0]!.close()
  await pump()
  target.post({ data: 'one' })
  await pump()
  t.strictSame(texts, [['both'], ['both', 'one']])
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
