import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { thrown } from '../../kit.ts'
import { dataOf, fault, type Stage, stage } from '../kit.ts'

function open({ context }: Stage, parameters = ''): [MessageChannel, MessageChannel] {
  return [
    context.init('direct://;name=m').open(),
    context.init(`deflate+direct://;master=m${parameters}`).open(),
  ]
}

stage(t, 'there and back', async (t, stage) => {
  const [master, deflate] = open(stage)
  const sizes: number[] = []
  master.on_message = ({ data }) => {
    sizes.push(data.length)
    master.post({ data, msgid: 5, seq: 6n })
  }
  const got: unknown[] = []
  deflate.on_message = ({ data, msgid, seq }) => void got.push([String(data), msgid, seq])
  const text = 'again and '.repeat(1000)
  deflate.post(text)
  t.ok(sizes[0]! < 100)
  t.strictSame(got, [[text, 5, 6n]])
  t.equal(deflate.post({ type: 'control', msgid: 50 }), true)
})

stage(t, 'inverted', async (t, stage) => {
  const [master, deflate] = open(stage, ';inverted=yes')
  const texts = dataOf(master)
  deflate.post(deflateRawSync('plain'))
  t.strictSame(texts, ['plain'])
  // It threw zlib's own error.
  t.equal(
    thrown(() => deflate.post('no deflate')),
    'ERR_INVALID_ARGUMENT',
  )
  deflate.on_message = ({ data }) => void t.strictSame(data, deflateRawSync('x'))
  master.post('x')
})

stage(t, 'invalid data, and data that becomes too large, is a failure', async (t, stage) => {
  for (const [data, code] of [
    ['nonsense', 'Z_DATA_ERROR'],
    [deflateRawSync(Buffer.alloc(2000)), 'ERR_BUFFER_TOO_LARGE'],
  ] as const) {
    const [master, deflate] = open(stage, ';max-size=1kb')
    const errors: string[] = []
    deflate.on_error = error => void errors.push((error as Error & { code: string }).code)
    master.post(data)
    t.strictSame([deflate.state, errors], ['error', [code]])
    deflate.destroy()
    master.destroy()
  }
  const [, deflate] = open(stage, ';max-size=1kb')
  t.equal(
    thrown(() => deflate.post('x'.repeat(1025))),
    'ERR_INVALID_ARGUMENT',
  )
})

stage(t, 'URLs', async (t, { context }) => {
  t.equal(context.init('deflate+mem://;name=a').client_url, 'deflate+mem://;master=a')
  t.equal(
    context.init('deflate+mem://;name=b;inverted=yes').client_url,
    'deflate+mem://;master=b;deflate.inverted=yes',
  )
  // Its client failed at the first message over the default.
  t.equal(
    context.init('deflate+mem://;name=c;max-size=1mb').client_url,
    'deflate+mem://;master=c;deflate.max-size=1048576b',
  )
  t.equal(context.init('deflate+null://').client_url, undefined)
  // It was taken, and most posts threw "one line, without a line end".
  t.match(
    fault(() => context.init('deflate+ws://h:1')),
    'binary must be yes below deflate+',
  )
  context.init('deflate+ws://h:1;binary=yes')
  const base = 'deflate+tcp://h:1;frame='
  for (const wrong of ['line', 'none', 'bson'])
    t.match(
      fault(() => context.init(base + wrong)),
      /^frame must be one that carries any bytes, and where a message ends/,
    )
  t.match(
    fault(() => context.init('deflate+file://x;dir=w;frame=none')),
    /^frame must be/,
  )
  t.strictSame(context.init('deflate+udp://h:1;frame=none').carries, {
    data: 'any',
    msgid: false,
    seq: false,
  })
  for (const wrong of ['level=10', 'max-size=0b', 'inverted=x'])
    t.match(
      fault(() => context.init(`deflate+null://;${wrong}`)),
      'must be',
    )
})
