import t from 'tap'
import { Client, Server } from '../../../src/channels/basic.ts'
import {
  FramedStream,
  type FramedStreamOwner,
} from '../../../src/messages/carriers/framed-stream.ts'
import { streamParams } from '../../../src/messages/carriers/stream-params.ts'
import { Message } from '../../../src/messages/message.ts'
import { scene } from '../../kit.ts'
import { params, text } from '../kit.ts'

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
      far = new FramedStream(owner, streamParams(params('tcp://'), 'client'), { engine, socket })
    }
  })({ engine }).listen(1)
  const near = new FramedStream(owner, streamParams(params('tcp://'), 'client'), { engine })
  await pump()
  near.connect(1)
  await pump()
  near.post(new Message({ data: 'a', msgid: 1, seq: 2n }))
  await pump()
  t.strictSame([got.splice(0), far?.addr], [['a #1 @2'], undefined])
  for (const size of [4000, 4001, 1]) near.post(new Message({ data: 'x'.repeat(size), msgid: 3 }))
  await pump()
  t.strictSame(
    got.map(each => each.length),
    [4003, 4004, 4],
    'copied or as it is, in their order',
  )
  near.half_close()
  t.equal(near.post(new Message({ data: 'x' })), false)
  await pump()
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
  const all = streamParams(
    params('tcp://;frame=line;send-buffer-size=10b;buffer-size=100b'),
    'client',
  )
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

scene(t, 'what is packed already', async (t, { engine, pump }) => {
  const owner: FramedStreamOwner = {
    connected() {},
    received: message => void got.push(text(message)),
    failed() {},
    closed() {},
  }
  const got: string[] = []
  const all = streamParams(params('tcp://;frame=line;send-buffer-size=10b'), 'client')
  const server = new (class extends Server {
    override on_accept(socket: never): void {
      new FramedStream(owner, all, { engine, socket })
    }
  })({ engine }).listen(1)
  await pump()
  const near = new FramedStream(owner, all, { engine })
  t.equal(near.postPacked(Buffer.from('a\n')), false)
  near.connect(1)
  await pump()
  t.equal(near.postPacked(Buffer.from('a\nb\n')), true)
  t.equal(near.postPacked(Buffer.from('a long one\n')), true)
  t.equal(near.postPacked(Buffer.from('c\n')), false)
  await pump()
  t.same(got.sort(), ['WriteFull', 'WriteReady', 'a', 'a long one', 'b'])
  near.half_close()
  t.equal(near.postPacked(Buffer.from('d\n')), false)
  await pump()
  server.close()
  near.close()
})

// A last line without its line end, or half a frame, was dropped in silence.
scene(t, 'the peer ends in the middle of a message', async (t, { engine, pump }) => {
  let far!: FramedStream
  const log: string[] = []
  const owner: FramedStreamOwner = {
    connected: stream => void (far = stream),
    received: message => {
      log.push(text(message))
      far.post(new Message({ data: 'answer' }))
      return undefined
    },
    failed: (_stream, error) => log.push(error.message),
    closed: (_stream, reason) => log.push(reason),
  }
  const options = streamParams(params('tcp://;frame=line'), 'client')
  const server = new (class extends Server {
    override on_accept(socket: never): void {
      new FramedStream(owner, options, { engine, socket })
    }
  })({ engine }).listen(1)
  await pump()
  for (const sent of ['one\ntwo', 'one\n']) {
    const near = new Client({ engine, read_delimiter: null, encoding: 'utf8' })
    near.on_read = (data: string) => void log.push(`near ${data}`)
    near.connect(1).write(sent)
    near.half_close()
    await pump()
  }
  const cut = 'the peer ended in the middle of a message, 3 bytes of which had come'
  t.strictSame(log, ['one', cut, 'near answer\n', 'remote', 'one', 'near answer\n', 'remote'])
  server.close()
})
