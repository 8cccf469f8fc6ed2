/** The server of ws://, with peers that speak byte by byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Control, Message } from '../../../../src/messages/message.ts'
import type { MessageChannel } from '../../../../src/messages/message-channel.ts'
import { postText } from '../../../../src/messages/texts.ts'
import type { UpgradeRequest } from '../../../../src/protocols/websocket/upgrade-request.ts'
import { testCertificates } from '../../../certificates.ts'
import {
  ACCEPTED,
  closing,
  dial,
  frame,
  masked,
  request,
} from '../../../protocols/websocket/kit.ts'
import { fault, type Stage, stage, text } from '../../kit.ts'

async function opened(
  world: Stage,
  rest = '',
): Promise<{ server: MessageChannel; log: string[]; errors: string[] }> {
  const server = world.context.init(`ws://*:1${rest}`)
  const [log, errors] = [[], []] as [string[], string[]]
  server.callback_add(
    message => void log.push(`${String(message.addr)} ${text(message)}`),
    ['data', 'control'],
  )
  server.on_error = error => void errors.push((error as Error).message)
  server.open()
  await world.pump()
  return { server, log, errors }
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1')

stage(t, 'peers come, talk and go', async (t, world) => {
  const { server, log } = await opened(world, '/chat;mode=server;protocol=p')
  t.equal(server.client_url, 'ws://127.0.0.1:1/chat;protocol=p')
  const ask = request({ 'Sec-WebSocket-Protocol': 'p' }, 'GET /chat HTTP/1.1')
  const [one, two] = [await dial(world, ask), await dial(world, ask)]
  for (const peer of [one, two]) t.match(peer.raw.news, /^HTTP\/1.1 101[^]*Protocol: p/)
  t.match(server.info, { local: ['127.0.0.1', 1], peers: 2 })
  one.write(masked('hi'))
  await world.pump()
  t.equal(server.post({ data: 'yo', addr: 1 }), true)
  server.post({ type: 'control', msgid: Control.WriteFlush, addr: 1 })
  server.post({ type: 'control', msgid: Control.Disconnect, addr: 2 })
  server.post({ type: 'control', msgid: Control.Connect, addr: 2 })
  await world.pump()
  t.equal(one.raw.news, latin1(frame('yo')))
  t.equal(two.raw.news, latin1(closing(1000, '', null)))
  two.write(closing(1000))
  two.end()
  await world.pump()
  t.equal(server.post({ data: 'late', addr: 2 }), false)
  t.match(log, [/^1 Connect/, /^2 Connect/, '1 hi', /^2 Disconnect/])
  for (const addr of [undefined, 0, 3, 'x'])
    t.throws(() => server.post({ data: 'x', addr: addr as number }), {
      code: 'ERR_INVALID_ARGUMENT',
    })
  t.match(server.carries, { data: 'text' })
})

stage(t, 'texts without messages, where a message is a text', async (t, world) => {
  for (const [index, [rest, first]] of [
    [';mode=server', 0x81],
    [';mode=server;binary=yes', 0x82],
  ].entries() as IterableIterator<[number, [string, number]]>) {
    const { server } = await opened(world, rest)
    const peer = await dial(world)
    peer.raw.news
    t.equal(postText(server, 'hi', 1), true, `${index}`)
    await world.pump()
    t.equal(peer.raw.news.charCodeAt(0), first)
    peer.close()
    await world.pump()
    t.equal(postText(server, 'gone', 1), false)
    server.close(true)
    await world.pump()
  }
})

stage(t, 'what a peer asked for, and the codes of closing', async (t, world) => {
  const { server } = await opened(world, ';mode=server')
  const requests: unknown[] = []
  const codes: bigint[] = []
  server.callback_add(({ msgid, value, seq }) => {
    if (msgid === Control.Connect) requests.push(value)
    if (msgid === Control.Disconnect) codes.push(seq)
  }, 'control')
  const ask = request({ Cookie: 'a=b' }, 'GET /?x=1 HTTP/1.1')
  const [one, two, three] = [await dial(world, ask), await dial(world, ask), await dial(world, ask)]
  const [{ headers, query }] = requests as [UpgradeRequest]
  t.strictSame([headers['cookie'], query.get('x')], ['a=b', '1'])
  for (const peer of [one, two, three]) t.match(peer.raw.news, /^HTTP\/1.1 101/)
  const post = (addr: number, seq: bigint, data = '') =>
    server.post({ type: 'control', msgid: Control.Disconnect, addr, seq, data })
  post(1, 4001n, 'why')
  t.throws(() => post(2, 5n), { code: 'ERR_INVALID_ARGUMENT' })
  two.write(closing(4002))
  await world.pump()
  t.equal(one.raw.news, latin1(closing(4001, 'why', null)))
  one.write(closing(4001))
  for (const peer of [one, two, three]) peer.end()
  await world.pump()
  t.strictSame(codes.sort(), [1006n, 4001n, 4002n])
})

stage(t, 'who is refused is told, and affects nobody', async (t, world) => {
  const { server, log, errors } = await opened(world, ';mode=server;path=/a;max-connections=3')
  const ask = request({}, 'GET /a HTTP/1.1')
  const good = await dial(world, ask)
  t.equal(good.raw.news, ACCEPTED)
  const lost = await dial(world)
  t.match(lost.raw.news, /^HTTP\/1.1 404/)
  lost.end()
  await world.pump()
  const page = await dial(world, request({ Origin: 'http://x' }, 'GET /a HTTP/1.1'))
  t.match(page.raw.news, /^HTTP\/1.1 403/)
  page.end()
  await world.pump()
  for (let i = 0; i < 3; i++) await dial(world, ask)
  t.match(errors, [/404/, /403/, /turned away: max_connections/])
  t.equal(server.state, 'active')
  good.write(Buffer.from([0xff, 0xff]))
  await world.pump()
  good.end()
  await world.pump()
  t.match(log.at(-1), /^1 Disconnect/)
})

stage(t, 'a port that is in use', async (t, world) => {
  await opened(world, ';mode=server')
  const { server, errors } = await opened(world, ';mode=server')
  t.match([server.state, errors], ['error', [/EADDRINUSE|in use/]])
  t.equal(server.client_url, undefined)
  server.close()
  t.equal(server.state, 'closed')
})

stage(t, 'close: politely, by force, and before it listens', async (t, world) => {
  const { server } = await opened(world, ';mode=server')
  const peer = await dial(world)
  peer.raw.news
  server.close()
  await world.pump()
  t.equal(peer.raw.news, latin1(closing(1001, '', null)))
  t.equal(server.state, 'closing')
  server.close(true)
  t.equal(server.state, 'closed')
  await world.pump()
  server.on_state = state => state === 'opening' && server.close()
  server.open()
  await world.pump()
  t.equal(server.state, 'closed')
})

stage(t, 'a peer whose handshake ends while the server closes', async (t, world) => {
  const { server, log } = await opened(world, ';mode=server')
  const half = await dial(world, 'GET / HTTP/1.1\r\n')
  server.close()
  half.write(request().slice('GET / HTTP/1.1\r\n'.length))
  await world.pump()
  t.same(log, [])
})

stage(t, 'suspended, before it opens and after', async (t, world) => {
  const server = world.context.init('ws://*:1;mode=server;origins=*')
  const log: string[] = []
  server.callback_add(message => void log.push(text(message)), ['data', 'control'])
  server.suspend()
  server.open()
  await world.pump()
  const peer = await dial(world)
  t.same(log, [])
  server.resume()
  await world.pump()
  server.suspend()
  peer.write(masked('held'))
  await world.pump()
  t.match(log, ['Connect'])
  server.resume()
  await world.pump()
  t.match(log, ['Connect', 'held'])
})

stage(t, 'a peer that does not read', async (t, world) => {
  const { server, log } = await opened(world, ';mode=server;send-buffer-size=1kb')
  t.equal(server.client_url, 'ws://127.0.0.1:1')
  const peer = await dial(world)
  peer.suspend()
  server.post({ data: 'x'.repeat(200_000), addr: 1 })
  t.equal(server.post({ data: 'x', addr: 1 }), false)
  await world.pump()
  peer.resume()
  await world.pump()
  t.match(log, [/^1 Connect/, '1 WriteFull', '1 WriteReady'])
})

stage(t, 'over TLS', async (t, world) => {
  const { certFile, keyFile } = testCertificates().server
  const server = world.context.init(`wss://*:1;mode=server;cert=${certFile};key=${keyFile}`).open()
  await world.pump()
  t.equal(server.state, 'active')
})

stage(t, 'TLS needs a certificate', async (t, world) => {
  t.match(
    fault(() => world.context.init('wss://*:1;mode=server')),
    /cert must be given/,
  )
  t.match(
    fault(() => world.context.init('ws://;mode=server')),
    /address must be/,
  )
})

stage(t, 'to several peers, packed once', async (t, world) => {
  for (const [rest, one] of [
    ['', frame('a')],
    [';binary=yes', frame(Buffer.from('a'))],
    [';frame=size32', frame(Buffer.from('\x01\0\0\0a', 'latin1'))],
  ] as const) {
    const { server } = await opened(world, `;mode=server${rest}`)
    const peers = [await dial(world), await dial(world)]
    for (const { raw } of peers) t.equal(raw.news, ACCEPTED)
    t.same(server.do_post_all([new Message({ data: 'a' })], [1, 3, 2]), [3])
    await world.pump()
    for (const { raw } of peers) t.equal(raw.news, latin1(one))
    server.close(true)
    await world.pump()
  }
})
