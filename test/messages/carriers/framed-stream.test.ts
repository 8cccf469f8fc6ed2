import t from 'tap'
import { Server } from '../../../src/channels/basic.ts'
import { Message } from '../../../src/messages/message.ts'
import {
  FramedStream,
  type FramedStreamOwner,
  framedStreamParams,
} from '../../../src/messages/carriers/framed-stream.ts'
import { scene } from '../../kit.ts'
import { fault, params, text } from '../kit.ts'

t.test('parameters', async t => {
  t.match(framedStreamParams(params('tcp://')), {
    frame: { name: 'std' },
    options: { buffer_size: 65_536, send_high_water: 65_536, no_delay: true },
  })
  t.match(
    framedStreamParams(
      params('tcp://;frame=l4;buffer-size=1kb;tcp.send-buffer-size=2kb;nodelay=no'),
    ),
    {
      frame: { name: 'size32' },
      options: { buffer_size: 1024, send_high_water: 2048, no_delay: false },
    },
  )
  t.match(
    fault(() => framedStreamParams(params('tcp://;frame=big'))),
    'frame must be one of std, l4m4s8, short, l2m2s8, tiny, l2m2s4, ' +
      'size32, l4, bson, line, none; got "big"',
  )
})

scene(t, 'frames with a head', async (t, { engine, pump }) => {
  let far: FramedStream | undefined
  const got: string[] = []
  const owner: FramedStreamOwner = {
    connected() {},
    received: message => void got.push(text(message)),
    failed() {},
    closed() {},
  }
  const server = new (class extends Server {
    override on_accept(socket: never): void {
      far = new FramedStream(owner, framedStreamParams(params('tcp://')), { engine, socket })
    }
  })({ engine }).listen(1)
  const near = new FramedStream(owner, framedStreamParams(params('tcp://')), { engine })
  await pump()
  near.connect(1)
  await pump()
  near.post(new Message({ data: 'a', msgid: 1, seq: 2n }))
  await pump()
  t.strictSame([got, far?.addr], [['a #1 @2'], undefined])
  server.close()
  near.close()
})

scene(t, 'what it reports', async (t, { engine, pump }) => {
  const log: string[] = []
  const owner = (who: string): FramedStreamOwner => ({
    connected: () => log.push(`${who} connected`),
    received: message => void log.push(`${who} ${text(message)}`),
    failed: (_socket, error) =>
      log.push(`${who} failed ${(error as Error & { code: string }).code}`),
    closed: (_socket, reason) => log.push(`${who} closed ${reason}`),
  })
  const all = framedStreamParams(params('tcp://;frame=line;send-buffer-size=10b;buffer-size=100b'))
  let far!: FramedStream
  const server = new (class extends Server {
    override on_accept(socket: never): void {
      far = new FramedStream(owner('far'), all, { engine, socket }, 5)
    }
  })({ engine }).listen(1)
  await pump()
  const near = new FramedStream(owner('near'), all, { engine })
  near.connect(1)
  await pump()
  t.strictSame(log.splice(0), ['near connected', 'far connected'])
  t.equal(near.post(new Message({ data: 'short' })), true)
  await pump()
  t.strictSame(log.splice(0), ['far short'])
  // If the data filled the queue, its line end was not written.
  t.equal(near.post(new Message({ data: 'long enough to be full' })), true, 'it is taken')
  t.strictSame(log.splice(0), ['near WriteFull'])
  t.equal(near.post(new Message({ data: 'x' })), false)
  await pump()
  t.strictSame(log.splice(0).sort(), ['far long enough to be full', 'near WriteReady'])
  t.equal(far.post(new Message({ data: 'y'.repeat(200) })), true)
  await pump()
  t.strictSame(
    log.splice(0),
    [
      'far WriteFull',
      'far WriteReady',
      'near failed ERR_OVERFLOW',
      'near closed overflow',
      'far closed remote',
    ],
    'a message over buffer-size is the end',
  )
  t.equal(near.post(new Message({ data: 'x' })), true, 'dropped: nothing says full')
  server.close()
})
