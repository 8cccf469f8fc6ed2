import t from 'tap'
import { Message } from '../../../src/messages/message.ts'
import { fault, stage } from '../kit.ts'

stage(t, 'messages in frames, from its clients', async (t, stage) => {
  const server = stage.context.init('tcp://:1;mode=server;frame=line').open()
  await stage.pump()
  t.equal(server.client_url, 'tcp://127.0.0.1:1;mode=client;frame=line')
  const texts: string[] = []
  server.on_message = ({ data, addr }) => {
    texts.push(String(data))
    server.do_post_all([new Message({ data: 'all' })], [addr as number])
  }
  const client = stage.context.init(server.client_url as string).open()
  client.on_message = ({ data }) => void texts.push(String(data))
  await stage.pump()
  client.post('hello')
  await stage.pump()
  t.strictSame(texts, ['hello', 'all'])
})

stage(t, 'addresses', async (t, stage) => {
  t.match(
    fault(() => stage.context.init('tcp://nowhere;mode=server')),
    'the address must be host:port, *:port, or a path with a slash\n' +
      '  tcp://nowhere;mode=server\n        ^^^^^^^',
  )
  t.match(
    fault(() => stage.context.init('unix://;mode=server')),
    'a unix socket must have a path',
  )
  const server = stage.context.init('unix:///tmp/x;mode=server')
  t.strictSame(server.info, { local: undefined, peers: 0 })
  t.equal(server.carries.seq, true)
  server.open()
  await stage.pump()
  t.equal(server.client_url, 'unix:///tmp/x;mode=client;frame=std')
})
