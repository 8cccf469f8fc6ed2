import t from 'tap'
import { Control, type Message } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { thrown } from '../../kit.ts'
import { dataOf, fault, type Stage, stage, text } from '../kit.ts'

function open(
  { context }: Stage,
  parameters = '',
): { server: MessageChannel; log: string[]; clients: MessageChannel[] } {
  const server = context.init(`mem://;name=s;mode=server${parameters}`).open()
  const log: string[] = []
  server.callback_add(
    (message: Message) => void log.push(`${message.addr} ${text(message)}`),
    ['data', 'control'],
  )
  const clients = ['a', 'b'].map(name => context.init(`${server.client_url};name=${name}`).open())
  return { server, log, clients }
}

stage(t, 'clients come, talk, go', async (t, stage) => {
  const { server, log, clients } = open(stage)
  const [a, b] = clients as [MessageChannel, MessageChannel]
  t.strictSame(
    [server.client_url, a.client_url, server.info, log],
    ['mem://;master=s', undefined, { peers: 2 }, []],
    'not inside open',
  )
  const [ofA, ofB] = [dataOf(a), dataOf(b)]
  a.post({ data: 'one', msgid: 3, addr: 99 })
  b.post('two')
  a.post({ type: 'control', msgid: 99 })
  stage.clock.advance(0)
  t.strictSame(
    log.splice(0),
    ['1 Connect', '2 Connect', '1 one #3', '2 two'],
    'in the order of posting',
  )
  t.equal(server.post({ data: 'to two', addr: 2 }), true)
  t.equal(server.post({ type: 'control', msgid: Control.WriteFlush, addr: 2 }), true)
  stage.clock.advance(0)
  t.strictSame([ofA, ofB, server.process()], [[], ['to two'], false])
  a.close()
  server.post({ data: 'last', addr: 2 })
  server.post({ type: 'control', msgid: Control.Disconnect, addr: 2 })
  stage.clock.advance(0)
  t.strictSame(log.splice(0), ['1 Disconnect', '2 Disconnect'])
  t.strictSame(
    [ofB.at(-1), b.state, await b.closed],
    ['last', 'closed', 'remote'],
    'messages posted before arrive',
  )
  t.equal(server.post({ data: 'x', addr: 1 }), false, 'it has gone')
  for (const addr of [undefined, 0, 3, ['h', 1] as [string, number]])
    t.equal(
      thrown(() => server.post({ data: 'x', addr })),
      'ERR_INVALID_ARGUMENT',
    )
})

stage(t, 'the server closes', async (t, stage) => {
  const { server, log, clients } = open(stage)
  const [a, b] = clients as [MessageChannel, MessageChannel]
  const texts = dataOf(a)
  server.post({ data: 'bye', addr: 1 })
  server.close()
  t.equal(a.state, 'active')
  a.post('nobody')
  stage.clock.advance(0)
  t.strictSame([a.state, b.state, texts, log], ['closed', 'closed', ['bye'], []])
  a.on_error = () => {}
  t.equal(a.open().state, 'error', 'there is no server')
  a.close()
  server.open()
  t.strictSame([a.open().state, server.info], ['active', { peers: 1 }])
  a.close()
  t.strictSame(
    [a.closed instanceof Promise, await a.closed, server.info],
    [true, 'local', { peers: 0 }],
  )
})

stage(t, 'full and ready, each client by itself', async (t, stage) => {
  const { server, log, clients } = open(stage, ';size=64b')
  stage.clock.advance(0)
  log.length = 0
  const data = 'x'.repeat(40)
  const posts = (addr: number): boolean[] => [1, 2].map(() => server.post({ data, addr }))
  t.strictSame(
    [posts(1), posts(2), log.splice(0)],
    [
      [true, false],
      [true, false],
      ['1 WriteFull', '2 WriteFull'],
    ],
  )
  ;(clients[1] as MessageChannel).process()
  t.strictSame(log.splice(0), ['2 WriteReady'])
  clients[0]!.close(true)
  server.process()
  t.strictSame(log, ['1 Disconnect'])
})

stage(t, 'frame=full carries everything', async (t, stage) => {
  const { server, log, clients } = open(stage, ';frame=full')
  const messages: Message[] = []
  clients[0]!.callback_add(message => void messages.push(message), ['data', 'control'])
  clients[0]!.post({ type: 'control', msgid: 99, addr: 7 })
  server.post({ data: 'x', time: 5, addr: 1 })
  stage.clock.advance(0)
  t.strictSame(log.slice(2), ['1 control 99'])
  t.match(messages, [{ time: 5, addr: undefined }])
})

stage(t, 'parameters', async (t, { context }) => {
  const master = context.init('mem://;name=m')
  t.match(
    fault(() => context.init('mem://;mode=server', { master })),
    'master must be left out: a server has none',
  )
  t.match(
    fault(() => context.init('mem://;mode=server;size=1b')),
    'size must be',
  )
  t.equal(context.init('mem://;mode=server').process(), false, 'closed: nothing to do')
})
