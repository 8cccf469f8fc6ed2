/** One end of a WebSocket that carries messages. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { wsParams } from '../../../../src/messages/carriers/websocket/ws-params.ts'
import {
  packMessages,
  WsCaller,
  type WsStream,
} from '../../../../src/messages/carriers/websocket/ws-stream.ts'
import { Control, Message } from '../../../../src/messages/message.ts'
import {
  answerTo,
  closing,
  frame,
  listen,
  type RawConnection,
} from '../../../protocols/websocket/kit.ts'
import { params, type Stage, stage, text } from '../../kit.ts'

async function made(
  world: Stage,
  rest: string,
): Promise<{
  stream: WsStream
  peer: RawConnection
  log: string[]
  frames(): string
  owner: { received(message: Message): void }
}> {
  const { peers } = await listen(world)
  const log: string[] = []
  const owner = {
    connected: () => void log.push('connected'),
    text: (data: string) => data === 'as it is' && void log.push(`text ${data}`),
    received: (message: Message) => void log.push(text(message)),
    failed: (_stream: WsStream, error: Error) => void log.push(`failed ${error.message}`),
    closed: (_stream: WsStream, reason: string) => void log.push(`closed ${reason}`),
  }
  const carrying = { owner: owner as never, params: wsParams(params(`ws://a:1;${rest}`), 'client') }
  const stream = new WsCaller(carrying, { engine: world.engine })
  stream.connect('ws://localhost:1')
  await world.pump()
  const peer = peers[0]!
  peer.write(answerTo(peer.raw.news))
  await world.pump()
  /** The first bytes of the frames that the peer has got since. */
  const frames = (): string => peer.raw.news
  return { stream, peer, log, frames, owner }
}

stage(t, 'text, and what is none', async (t, world) => {
  const { stream, peer, log, frames } = await made(world, '')
  t.equal(stream.post(new Message({ data: 'häl' })), true)
  t.throws(() => stream.post(new Message({ data: Buffer.from([0xff]) })), {
    code: 'ERR_INVALID_ARGUMENT',
  })
  await world.pump()
  t.equal(frames().charCodeAt(0), 0x81)
  peer.write(Buffer.concat([frame('text'), frame(Buffer.from('bytes')), frame('')]))
  await world.pump()
  t.same(log, ['connected', 'text', 'bytes', ''])
  t.equal(stream.addr, undefined)
})

/** A peer that says goodbye drops what it gets from then on. Nobody was told how much that was. */
stage(t, 'what waits when the peer says goodbye', async (t, world) => {
  const { stream, peer } = await made(world, '')
  peer.suspend()
  while (stream.post(new Message({ data: 'x'.repeat(10_000) }))) await world.pump()
  const queued = stream.bytes_queued
  peer.write(closing(1000, '', null), true)
  await world.pump()
  t.ok(queued > 0)
  t.equal(stream.untaken, queued)
  peer.close()
})

// A consumer took bytes for a text, if they happened to be UTF-8.
stage(t, 'a text may pass as it is', async (t, world) => {
  const { stream, peer, log, frames } = await made(world, '')
  t.equal(stream.postText('hä'), true)
  await world.pump()
  t.equal(frames().charCodeAt(0), 0x81)
  peer.write(Buffer.concat([frame('as it is'), frame('a message')]))
  await world.pump()
  t.same(log, ['connected', 'text as it is', 'a message'])
})

for (const [rest, value] of [
  ['', 'binary'],
  ['binary=yes', undefined],
] as const)
  stage(t, `bytes of a peer, where that is ${value ?? 'usual'}`, async (t, world) => {
    const { owner, peer } = await made(world, rest)
    const seen: unknown[] = []
    owner.received = message => void seen.push(message.value)
    peer.write(frame(Buffer.from('bytes')))
    await world.pump()
    t.same(seen, [value])
  })

stage(t, 'a stream that is full takes no text', async (t, world) => {
  const { stream, log } = await made(world, 'send-buffer-size=1kb')
  t.equal(stream.postText('x'.repeat(2000)), true)
  t.equal(stream.postText('y'), false)
  await world.pump()
  t.equal(log.length, 3)
})

stage(t, 'frames in messages', async (t, world) => {
  const { stream, peer, log, frames } = await made(world, 'frame=std')
  stream.post(new Message({ data: 'x', msgid: 5, seq: 7n }))
  await world.pump()
  const sent = Buffer.from(frames(), 'latin1')
  t.equal(sent[0], 0x82)
  const payload = sent.subarray(6).map((byte, i) => byte ^ sent[2 + (i % 4)]!)
  peer.write(Buffer.concat([frame(payload), frame(Buffer.from('short'))]))
  await world.pump()
  t.same(log, ['connected', 'x #5 @7'], 'what is shorter than its frame is dropped')
})

stage(t, 'full, and ready again', async (t, world) => {
  const { stream, peer, log } = await made(world, 'send-buffer-size=1kb')
  peer.suspend()
  t.equal(stream.post(new Message({ data: 'x'.repeat(200_000) })), true)
  t.equal(stream.post(new Message({ data: 'y' })), false)
  await world.pump()
  peer.resume()
  await world.pump()
  t.same(log, ['connected', 'WriteFull', 'WriteReady'])
  t.equal(Control.WriteFull > 0, true)
  stream.close()
  t.equal(stream.post(new Message({ data: 'late' })), true, 'and dropped')
})

stage(t, 'an error ends it', async (t, world) => {
  const { stream, peer, log } = await made(world, '')
  peer.write(Buffer.from([0xff, 0xff]))
  await world.pump()
  peer.end()
  await world.pump()
  t.match(log, ['connected', /^failed the peer has broken/, 'closed error'])
  t.match(stream.fault, { code: 'ERR_WEBSOCKET_PROTOCOL' })
})

stage(t, 'what is packed already', async (t, world) => {
  const { stream, peer, log, frames } = await made(world, 'send-buffer-size=1kb')
  const all = wsParams(params('ws://a:1'), 'server')
  const bytes = wsParams(params('ws://a:1;binary=yes'), 'server')
  const two = [new Message({ data: 'a' }), new Message({ data: 'b' })]
  t.same(
    packMessages(bytes, two),
    Buffer.concat([frame(Buffer.from('a')), frame(Buffer.from('b'))]),
  )
  t.equal(stream.postPacked(packMessages(all, two)), true)
  await world.pump()
  t.equal(frames(), Buffer.concat([frame('a'), frame('b')]).toString('latin1'))
  peer.suspend()
  const long = packMessages(all, [new Message({ data: 'x'.repeat(200_000) })])
  t.equal(stream.postPacked(long), true)
  t.equal(stream.postPacked(long), false)
  await world.pump()
  peer.resume()
  await world.pump()
  t.same(log, ['connected', 'WriteFull', 'WriteReady'])
  stream.close()
  t.equal(stream.postPacked(long), false)
})
