/** How the peers of a server come and go. TcpServer stands for all of them here. */

import t from 'tap'
import { Client } from '../../../../src/channels/basic.ts'
import { StreamServer } from '../../../../src/channels/servers/stream-server.ts'
import type { CarrierServer } from '../../../../src/messages/carriers/streams/carrier-server.ts'
import type { CarryingStream } from '../../../../src/messages/carriers/streams/carrying.ts'
import { Control, Message } from '../../../../src/messages/message.ts'
import type { MessageChannel } from '../../../../src/messages/message-channel.ts'
import { MESSAGE_LIFE } from '../../../../src/messages/message-life.ts'
import { testCertificates } from '../../../certificates.ts'
import { withResolvers } from '../../../channels/link-kit.ts'
import { thrown } from '../../../kit.ts'
import { fault, type Stage, stage, text } from '../../kit.ts'

class Peer extends Client {
  text = ''
  override on_read(data: Buffer): void {
    this.text += data.toString('latin1')
  }
}

async function open(
  stage: Stage,
  more = '',
): Promise<{ server: MessageChannel; log: string[]; connect: () => Promise<Peer> }> {
  const server = stage.context.init(`tcp://:1;mode=server;frame=line${more}`)
  const log: string[] = []
  server.callback_add(
    (message: Message) => void log.push(`${message.addr} ${text(message)}`),
    ['data', 'control'],
  )
  server.open()
  t.equal(server.state, 'opening')
  await stage.pump()
  t.equal(server.state, 'active')
  const connect = async (): Promise<Peer> => {
    const peer = new Peer({ engine: stage.engine }).connect(1)
    await stage.pump()
    return peer
  }
  return { server, log, connect }
}

// A peer of WsServer has texts; they keep their place behind what waits.
stage(t, 'a text is taken as it is, unless something waits', async (t, { context, pump }) => {
  const server = context.init('tcp://:1;mode=server').open() as CarrierServer<CarryingStream>
  await pump()
  const got: unknown[] = []
  const { text } = server.peerOwner
  t.equal(text('a', 1), false, 'nobody takes texts')
  const { promise, resolve } = withResolvers()
  server[MESSAGE_LIFE].outlet.callbacks.add(
    () => promise,
    'data',
    (...all) => void got.push(...all),
  )
  t.equal(text('b', 1), undefined)
  void server.peerOwner.received(new Message({ data: 'slow', addr: 1 }))
  t.equal(text('c', 1), false)
  resolve()
  await pump()
  t.equal(text('d', 1), undefined)
  t.strictSame(got, ['b', 1, 'd', 1])
  t.equal(server.peerOf(1), undefined)
})

stage(t, 'peers come, talk, go', async (t, stage) => {
  const { server, log, connect } = await open(stage)
  const [one, two] = [await connect(), await connect()]
  t.match(log.splice(0), [/^1 Connect$/, /^2 Connect$/])
  t.match(server.info, { local: Array, peers: 2 })
  t.equal(server.client_url, 'tcp://127.0.0.1:1;mode=client;frame=line')
  t.equal(server.carries.data, 'line')
  one.write('a\n')
  two.write('b\n')
  await stage.pump()
  t.strictSame(log.splice(0), ['1 a', '2 b'])
  t.equal(server.post({ data: 'to two', addr: 2 }), true)
  t.equal(server.post({ type: 'control', msgid: Control.WriteFlush, addr: 2 }), true)
  t.equal(server.post({ type: 'control', msgid: 99, addr: 2 }), true)
  await stage.pump()
  t.strictSame([one.text, two.text], ['', 'to two\n'])
  one.end()
  await stage.pump()
  server.post({ type: 'control', msgid: Control.Disconnect, addr: 2 })
  await stage.pump()
  t.strictSame(log.splice(0), ['1 Disconnect', '2 Disconnect'])
  t.strictSame([one.state, two.state], ['closed', 'closed'])
  t.equal(server.post({ data: 'x', addr: 1 }), false, 'it has gone')
  t.strictSame(server.do_post_all([], [1, 2]), [1, 2])
  for (const addr of [undefined, 0, 3, ['h', 1] as [string, number]])
    t.equal(
      thrown(() => server.post({ data: 'x', addr })),
      'ERR_INVALID_ARGUMENT',
    )
})

stage(t, 'one peer fails, the others do not notice', async (t, stage) => {
  const { server, log, connect } = await open(stage, ';buffer-size=5b')
  const [one, two] = [await connect(), await connect()]
  let why = ''
  server.on_control = ({ data }) => void (why = String(data))
  one.write('much too long\n')
  await stage.pump()
  two.write('ok\n')
  await stage.pump()
  t.strictSame([log.slice(2), server.state], [['1 Disconnect', '2 ok'], 'active'])
  t.match(why, /5 bytes/, 'with the reason')
})

stage(t, 'full for one peer', async (t, stage) => {
  const { server, log, connect } = await open(stage, ';send-buffer-size=10b')
  await connect()
  await connect()
  log.length = 0
  server.post({ data: 'long enough to be full', addr: 2 })
  t.strictSame(log.splice(0), ['2 WriteFull'], 'in the post that fills it')
  t.strictSame(
    [1, 2].map(addr => server.post({ data: 'x', addr })),
    [true, false],
  )
  await stage.pump()
  t.strictSame(log, ['2 WriteReady'])
})

stage(t, 'close: politely, by force', async (t, stage) => {
  const { server, log, connect } = await open(stage)
  const one = await connect()
  server.post({ data: 'bye', addr: 1 })
  server.close()
  t.equal(server.state, 'closing')
  await stage.pump()
  t.strictSame(
    [server.state, one.state, one.text, log],
    ['closed', 'closed', 'bye\n', ['1 Connect', '1 Disconnect']],
  )
  t.equal(server.client_url, undefined)
  server.open()
  await stage.pump()
  const two = await connect()
  server.close(true)
  t.equal(server.state, 'closed')
  await stage.pump()
  t.strictSame([two.state, log.slice(2)], ['closed', ['2 Connect']])
})

// This was a TypeError in the log, and the channel stayed in 'closing'.
stage(t, 'closed in on_state, before it is opened', async (t, stage) => {
  const server = stage.context.init('tcp://:1;mode=server')
  t.strictSame(server.info, { local: undefined, peers: 0 })
  for (const force of [false, true]) {
    server.on_state = state => {
      if (state === 'opening') server.close(force)
    }
    t.equal(server.open().state, 'closed')
  }
})

stage(t, 'the address is in use', async (t, stage) => {
  const other = new StreamServer({ engine: stage.engine }).listen(1)
  await stage.pump()
  const server = stage.context.init('tcp://:1;mode=server')
  const errors: string[] = []
  server.on_error = error => void errors.push((error as Error & { code: string }).code)
  server.open()
  await stage.pump()
  t.strictSame([server.state, errors], ['error', ['EADDRINUSE']])
  server.close()
  t.equal(server.state, 'closed')
  other.close()
  await stage.pump()
  server.open()
  server.on_state = state => {
    if (state === 'error') server.close(true)
  }
  await stage.pump()
  t.equal(server.state, 'active')
  const second = stage.context.init('tcp://:1;mode=server').open()
  second.close(true)
  await stage.pump()
  t.equal(second.state, 'closed', 'reports of the old socket are ignored')
})

stage(t, 'suspended', async (t, stage) => {
  const server = stage.context.init('tcp://:1;mode=server;frame=line')
  server.suspend()
  server.open()
  await stage.pump()
  const log: string[] = []
  server.callback_add(message => void log.push(text(message)), ['data', 'control'])
  const peer = new Peer({ engine: stage.engine }).connect(1)
  await stage.pump()
  peer.write('a\n')
  await stage.pump()
  t.strictSame(log, [])
  server.resume()
  await stage.pump()
  t.strictSame(
    log,
    ['127.0.0.1:49152', 'a'].map((each, index) => (index === 0 ? 'Connect' : each)),
  )
  server.suspend()
})

stage(t, 'a peer that comes after the channel has failed', async (t, stage) => {
  const { server, log, connect } = await open(stage)
  server.on_error = () => {}
  server.fail(new Error('x'))
  const peer = await connect()
  t.strictSame([peer.state, log, server.info.peers], ['closed', [], 0])
})

// The connection was closed, and nobody was told.
stage(t, 'a peer that is turned away', async (t, stage) => {
  const { server, log, connect } = await open(stage, ';max-connections=1')
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  await connect()
  await connect()
  t.strictSame([log.length, errors.splice(0).length], [1, 1])
  await connect()
  t.match(errors, [/^127\.0\.0\.1:\d+ was turned away: max_connections$/])
})

// Several ran at once, with tcp and unix only: races that only one URL showed.
stage(t, 'one async on_message at a time, whoever sends', async (t, stage) => {
  const { server, log, connect } = await open(stage)
  const [one, two] = [await connect(), await connect()]
  log.length = 0
  const go: (() => void)[] = []
  server.on_message = () => new Promise<void>(resolve => go.push(resolve))
  one.write('a\nb\n')
  two.write('c\nd\n')
  await stage.pump()
  t.strictSame(log, ['1 a'])
  for (let count = 0; count < 4; count++) {
    go[count]!()
    await stage.pump()
  }
  t.strictSame(log.slice().sort(), ['1 a', '1 b', '2 c', '2 d'], 'each of them')
  t.equal(log[1], '2 c', 'in turn')
  one.write('e\n')
  await stage.pump()
  two.write('f\n')
  await stage.pump()
  server.close()
  await stage.pump()
  t.strictSame(
    [log.slice(4), server.state],
    [['1 e', '2 f', '1 Disconnect', '2 Disconnect'], 'closed'],
    'a hook that is not done does not keep it from closing',
  )
})

// An error of on_accept (too many open files, for example) must not close the server.
stage(t, 'a peer that cannot be accepted', async (t, stage) => {
  const { server, connect } = await open(stage)
  const nobody = stage.context.init('tcp://:2;mode=server;frame=line')
  nobody.suspend()
  nobody.resume()
  const { name } = server
  Object.defineProperty(server, 'name', {
    get: () => {
      throw new Error('no more')
    },
    configurable: true,
  })
  await connect()
  Object.defineProperty(server, 'name', { value: name, configurable: true })
  t.equal(server.state, 'active')
  t.ok(stage.logged.splice(0).length > 0)
})

// WsServer told of each peer that was turned away for want of descriptors, TcpServer once.
stage(t, 'near the limit of open files', async (t, stage) => {
  for (const url of ['tcp://:3;mode=server', 'ws://*:4;mode=server']) {
    const server = stage.context.init(url)
    const errors: string[] = []
    server.on_error = error => void errors.push(error.message)
    server.open()
    await stage.pump()
    const [socket] = [...stage.engine.channels].filter(each => each instanceof StreamServer)
    void socket!.on_overload()
    void socket!.on_drop('overload', ['127.0.0.1', 5])
    t.match(errors, [/^peers are turned away: the process is near its limit of open files/], url)
    server.close()
    await stage.pump()
  }
})

await stage(t, 'over TLS', async (t, { context, pump }) => {
  t.match(
    fault(() => context.init('tls+tcp://127.0.0.1:1;mode=server')),
    /cert must be given/,
  )
  const made = testCertificates()
  const channel = context.init(
    `tls+tcp://127.0.0.1:0;mode=server;cert=${made.server.certFile};key=${made.server.keyFile}`,
  )
  const errors: string[] = []
  channel.on_error = error => void errors.push(error.message)
  channel.open()
  await pump()
  // Nobody was told.
  const stranger = new Client({ engine: channel.engine }).connect(
    channel.info.local as [string, number],
  )
  await pump()
  stranger.write('GET / HTTP/1.0\r\n\r\n')
  while (errors.length === 0) await pump()
  t.match(errors, [/handshake/i])
  stranger.close()
  t.match(channel.client_url, /^tls\+tcp:\/\/127\.0\.0\.1:\d+;mode=client;frame=std$/)
  channel.close()
  await pump()
})

stage(t, 'to several peers, packed once', async (t, stage) => {
  const { server, connect } = await open(stage)
  const [one, two] = [await connect(), await connect()]
  const messages = ['a', 'b'].map(data => new Message({ data }))
  t.same(server.do_post_all(messages, [1, 2, 3]), [3])
  await stage.pump()
  t.strictSame([one.text, two.text], ['a\nb\n', 'a\nb\n'])
})
