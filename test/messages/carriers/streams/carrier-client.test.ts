/** How a client opens and closes. TcpClient stands for all of them here. */

import t from 'tap'
import type { FramedStreamOwner } from '../../../../src/messages/carriers/framed-stream.ts'
import type { TextOwner } from '../../../../src/messages/carriers/streams/carrying.ts'
import { TcpClient } from '../../../../src/messages/carriers/tcp-client.ts'
import { Control } from '../../../../src/messages/message.ts'
import { MESSAGE_LIFE } from '../../../../src/messages/message-life.ts'
import { stage, watch } from '../../kit.ts'
import { peer } from '../kit.ts'

stage(t, 'connect, talk, the peer ends', async (t, stage) => {
  const { text, all } = await peer(stage)
  const client = stage.context.init('tcp://:1;frame=line')
  t.match(client.info, { local: undefined, remote: undefined, unsent: 0 })
  const log = watch(client)
  client.open()
  t.strictSame([client.state, [...client.dcaps]], ['opening', ['process', 'poll_out']])
  await stage.pump()
  t.strictSame([client.state, [...client.dcaps]], ['active', ['process', 'poll_in']])
  t.match(client.info, { local: ['127.0.0.1', Number], remote: ['127.0.0.1', 1] })
  client.post('hello')
  all[0]!.write('one\ntwo\r\n')
  await stage.pump()
  t.equal(text(), 'hello\n')
  all[0]!.end()
  await stage.pump()
  t.strictSame(
    log.filter(each => !each.startsWith('Update')),
    ['opening', 'active', 'one', 'two', 'closing', 'closed'],
    'not an error',
  )
  t.equal(await client.closed, 'remote')
  t.equal((client as TcpClient).stream, undefined)
})

// It closed as if everything had come.
stage(t, 'the peer ends in the middle of a message', async (t, stage) => {
  const { all } = await peer(stage)
  const client = stage.context.init('tcp://:1;frame=line').open()
  client.on_error = () => {}
  await stage.pump()
  const log = watch(client)
  all[0]!.write('one\nhal')
  all[0]!.end()
  await stage.pump()
  t.strictSame([log.includes('one'), client.state], [true, 'error'])
  t.match(client.error, { code: 'ERR_FRAME' })
  client.close()
})

// A stream of WsClient has texts.
stage(t, 'a text is taken as it is', async (t, stage) => {
  await peer(stage)
  let owner: TextOwner | undefined
  class Client extends TcpClient {
    override makeStream(given: FramedStreamOwner & TextOwner) {
      owner = given
      return super.makeStream(given)
    }
  }
  stage.context.register(Object.assign(Client, { protocol: 'texts' }))
  const client = stage.context.init('texts://:1').open()
  await stage.pump()
  t.equal(owner?.text('a', undefined), false, 'nobody takes texts')
  const got: string[] = []
  const { callbacks } = client[MESSAGE_LIFE].outlet
  callbacks.add(
    () => {},
    'data',
    text => void got.push(text),
  )
  t.equal(owner?.text('b', undefined), undefined)
  t.strictSame(got, ['b'])
})

stage(t, 'refused', async (t, stage) => {
  const client = stage.context.init('tcp://:1')
  const errors: string[] = []
  client.on_error = error => void errors.push((error as Error & { code: string }).code)
  client.open()
  await stage.pump()
  t.strictSame([client.state, errors], ['error', ['ECONNREFUSED']])
  client.close()
  t.equal(client.state, 'closed')
  t.equal(await client.closed, 'error')
  await peer(stage)
  client.open()
  await stage.pump()
  t.equal(client.state, 'active', 'and again')
})

stage(t, 'close: politely, and by force', async (t, stage) => {
  const { text } = await peer(stage)
  const client = stage.context.init('tcp://127.0.0.1:1;frame=none').open()
  await stage.pump()
  client.post('last words')
  client.close()
  t.equal(client.state, 'closing')
  await stage.pump()
  t.strictSame([client.state, text()], ['closed', 'last words'])
  client.open()
  await stage.pump()
  client.post('lost')
  client.close(true)
  t.equal(client.state, 'closed')
  client.open()
  await stage.pump()
  t.strictSame(
    [client.state, text()],
    ['active', 'last words'],
    'reports of the old stream are ignored',
  )
  client.close(true)
})

// A stream that is closed by force while it fails has nobody to report to.
stage(t, 'closed by force while it connects', async (t, stage) => {
  const client = stage.context.init('tcp://:1').open()
  client.close(true)
  await stage.pump()
  t.equal(client.state, 'closed')
  const refused = stage.context.init('tcp://:1').open()
  refused.on_state = state => {
    if (state === 'error') refused.close(true)
  }
  await stage.pump()
  t.equal(refused.state, 'closed')
  t.match(stage.logged.splice(0), [/ECONNREFUSED/])
})

stage(t, 'control, suspend', async (t, stage) => {
  const { text, all } = await peer(stage)
  const client = stage.context.init('tcp://:1;frame=line;send-buffer-size=10b')
  client.suspend()
  client.open()
  await stage.pump()
  const log = watch(client)
  all[0]!.write('one\n')
  await stage.pump()
  t.strictSame(log.splice(0), [])
  client.resume()
  t.ok(log.splice(0).includes('one'))
  client.suspend()
  client.resume()
  client.post('more than ten bytes')
  t.strictSame(client.dcaps.has('poll_out'), true)
  t.equal(client.post({ type: 'control', msgid: Control.WriteFlush }), true)
  t.equal(client.post({ type: 'control', msgid: 99 }), true, 'others are nothing')
  await stage.pump()
  t.ok(log.includes('WriteFull') && log.includes('WriteReady'))
  t.strictSame([client.dcaps.has('poll_out'), text()], [false, 'more than ten bytes\n'])
})

stage(t, 'what was lost when it failed, or was closed by force', async (t, stage) => {
  const server = stage.context.init('tcp://:5;mode=server;frame=line').open()
  const client = stage.context.init('tcp://:5;frame=line').open()
  await stage.pump()
  server.suspend()
  client.post('x'.repeat(100_000))
  await stage.pump()
  const { unsent } = client.info as { unsent: number }
  t.ok(unsent > 0 && unsent < 100_000, String(unsent))
  client.close(true)
  t.equal(client.info.unsent, unsent)
  client.open()
  t.equal(client.info.unsent, 0)
})

await stage(t, 'over TLS', async (t, { context, pump }) => {
  const bad = context.init('tls+tcp://127.0.0.1:1;ca=/nowhere')
  bad.open()
  await t.rejects(bad.opened, {
    code: 'ERR_INVALID_URL',
    message: /ca must be a file that can be read/,
  })
  bad.close()
  const channel = context.init('tls+tcp://127.0.0.1:1')
  const log = watch(channel)
  channel.open()
  await pump()
  t.match(log.join(), /error/, 'nobody listens there')
  channel.close()
  await pump()
})
