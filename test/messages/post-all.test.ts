import t from 'tap'
import { Message } from '../../src/messages/message.ts'
import { postAll } from '../../src/messages/post-all.ts'
import { stage } from './kit.ts'

stage(t, 'to several peers, counted for each', async (t, { context, pump }) => {
  for (const stat of ['no', 'yes']) {
    const server = context.init(`mem://;mode=server;stat=${stat};size=100b`)
    const messages = ['a', 'b'].map(data => new Message({ data }))
    t.same(postAll(server, messages, [1].values()), [1], 'it is not open')
    server.open()
    const got: string[] = []
    const clients = [1, 2].map(() => {
      const client = context.init(server.client_url!).open()
      client.on_message = ({ data }) => void got.push(String(data))
      return client
    })
    await pump()
    t.same(postAll(server, messages, [1, 2].values()), [])
    await pump()
    t.same(got.sort(), ['a', 'a', 'b', 'b'])
    clients[0]!.suspend()
    for (let i = 0; i < 3; i++) postAll(server, messages, [1].values())
    t.same(postAll(server, messages, [1, 2].values()), [1])
    t.equal(server.stat?.tx, stat === 'yes' ? 10 : undefined)
    server.close()
    await pump()
    clients[0]!.close()
  }
})
