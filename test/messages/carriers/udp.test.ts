import t from 'tap'
import { Datagram } from '../../../src/channels/datagrams/datagram.ts'
import { Control } from '../../../src/messages/message.ts'
import { thrown } from '../../kit.ts'
import { fault, stage, text, watch } from '../kit.ts'

stage(t, 'there and back', async (t, stage) => {
  const server = stage.context.init('udp://127.0.0.1:1;mode=server')
  t.match(server.info, { local: undefined })
  server.open()
  const client = stage.context.init('udp://127.0.0.1:1').open()
  t.equal(server.state, 'opening')
  await stage.pump()
  t.strictSame([server.state, client.state], ['active', 'active'])
  t.equal(server.client_url, 'udp://127.0.0.1:1;mode=client;frame=std')
  t.equal(client.client_url, undefined)
  t.match([server.info, client.info], [{ local: ['127.0.0.1', 1] }, { remote: ['127.0.0.1', 1] }])
  server.on_message = ({ addr, data }) => void server.post({ data: `re: ${data}`, addr, seq: 9n })
  const log = watch(client)
  client.post({ data: 'hello', seq: 8n })
  client.post({ type: 'control', msgid: Control.WriteFlush })
  await stage.pump()
  t.ok(log.includes('re: hello @9'))
  t.equal(
    thrown(() => server.post('to whom?')),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => client.post({ data: 'x', msgid: 2 ** 40 })),
    'ERR_INVALID_ARGUMENT',
  )
})

stage(t, 'an invalid packet is dropped; an error does not end the channel', async (t, stage) => {
  const server = stage.context.init('udp://127.0.0.1:1;mode=server').open()
  await stage.pump()
  const log: string[] = []
  server.on_message = message => void log.push(text(message))
  server.on_error = error => void log.push((error as Error & { code: string }).code)
  new Datagram({ engine: stage.engine }).write('short', ['127.0.0.1', 1])
  server.post({ data: Buffer.alloc(70_000), addr: ['127.0.0.1', 5] })
  await stage.pump()
  t.strictSame([log, server.state], [['EMSGSIZE'], 'active'])
})

stage(t, 'full and ready', async (t, stage) => {
  const client = stage.context.init('udp://127.0.0.1:1;frame=none').open()
  await stage.pump()
  const log = watch(client)
  const results = [1, 2, 3].map(() => client.post(Buffer.alloc(60_000)))
  t.strictSame([results, log.splice(0)], [[true, true, false], ['WriteFull']])
  await stage.pump()
  t.ok(log.includes('WriteReady'))
  t.equal(client.post('x'), true)
  await stage.pump()
  stage.logged.length = 0
})

stage(t, 'suspended; closed', async (t, stage) => {
  const server = stage.context.init('udp://127.0.0.1:1;mode=server')
  server.suspend()
  server.open()
  const client = stage.context.init('udp://127.0.0.1:1').open()
  await stage.pump()
  const log: string[] = []
  server.on_message = message => void log.push(text(message))
  client.post('a')
  await stage.pump()
  t.strictSame(log, [])
  server.resume()
  await stage.pump()
  t.strictSame(log, ['a'])
  server.suspend()
  client.post('last')
  client.close()
  t.equal(client.state, 'closing')
  await stage.pump()
  t.equal(client.state, 'closed')
  server.resume()
  await stage.pump()
  t.strictSame(log, ['a', 'last'])
  server.close(true)
  t.equal(server.state, 'closed')
  await stage.pump()
})

stage(t, 'addresses that are in use or invalid', async (t, stage) => {
  new Datagram({ engine: stage.engine }).listen(['127.0.0.1', 1])
  await stage.pump()
  const server = stage.context.init('udp://127.0.0.1:1;mode=server')
  const errors: string[] = []
  server.on_error = error => void errors.push((error as Error & { code: string }).code)
  server.open()
  await stage.pump()
  t.strictSame([server.state, errors], ['error', ['EADDRINUSE']])
  server.close()
  t.equal(server.state, 'closed')
  server.open().close(true)
  await stage.pump()
  const forced = stage.context.init('udp://127.0.0.1:1;mode=server')
  forced.on_error = () => {}
  forced.on_state = state => {
    if (state === 'error') forced.close(true)
  }
  forced.open()
  await stage.pump()
  t.equal(forced.state, 'closed')
  t.match(
    fault(() => stage.context.init('udp:///path')),
    'the address must be host:port\n  udp:///path\n        ^^^^^',
  )
  t.match(
    fault(() => stage.context.init('udp://h:1;frame=line')),
    'frame must be one of std',
  )
})

stage(t, 'what it carries: a packet ends where its data ends', async (t, { context }) => {
  t.strictSame(context.init('udp://h:1;frame=none').carries, {
    data: 'any',
    msgid: false,
    seq: false,
  })
})

stage(t, 'multicast', async (t, stage) => {
  const group = 'udp://239.1.2.3:9;mode=server;multicast=yes'
  const [one, two] = [stage.context.init(group).open(), stage.context.init(group).open()]
  await stage.pump()
  t.strictSame([one.state, two.state], ['active', 'active'])
  t.match(
    fault(() => stage.context.init('udp://h:1;multicast=maybe')),
    'multicast must be yes or no',
  )
})
