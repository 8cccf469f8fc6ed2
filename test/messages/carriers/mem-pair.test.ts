import t from 'tap'
import { Message } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { fault, type Stage, stage, watch } from '../kit.ts'

function two({ context }: Stage, master = '', slave = ''): [MessageChannel, MessageChannel] {
  return [
    context.init(`mem://;name=m${master}`).open(),
    context.init(`mem://;master=m${slave}`).open(),
  ]
}

stage(t, 'messages arrive later, in order, one with each call of process', async (t, stage) => {
  const [master, slave] = two(stage)
  t.strictSame([master.client_url, slave.client_url], ['mem://;master=m', undefined])
  const log = watch(slave)
  master.post({ data: 'a', msgid: 5, seq: 6n, addr: 7, time: 8 })
  master.post('b')
  t.strictSame(log.splice(0), ['Update process'], 'pending, and nothing else')
  t.strictSame(
    [slave.process(), log.splice(0), slave.process(), log.splice(0)],
    [true, ['a #5 @6'], true, ['Update process|pending', 'b']],
  )
  t.equal(slave.process(), false)
  slave.post('c')
  const received = watch(master).slice(0, 0)
  master.on_message = ({ data, addr, time }) => void received.push(`${data} ${addr} ${time}`)
  stage.clock.advance(0)
  t.strictSame(received, ['c undefined 0'])
})

stage(t, 'frame=full carries everything', async (t, stage) => {
  const [master, slave] = two(stage, ';frame=full')
  const messages: Message[] = []
  slave.callback_add(message => void messages.push(message))
  master.post({ data: 'a', addr: 7, time: 8 })
  master.post({ type: 'control', msgid: 10 })
  stage.clock.advance(0)
  t.match(messages, [
    { type: 'data', addr: 7, time: 8 },
    { type: 'control', msgid: 10 },
  ])
  const [normal] = two({
    ...stage,
    context: new (stage.context.constructor as new (options: object) => Stage['context'])({
      engine: stage.engine,
    }),
  })
  t.equal(normal.post({ type: 'control' }), true, 'without it only data is carried, as with tcp://')
})

stage(t, 'full, and ready again', async (t, stage) => {
  // Room for three messages of 10 bytes, each with 16 bytes for its frame.
  const [master, slave] = two(stage, ';size=80b')
  const log = watch(master)
  const text = 'x'.repeat(10)
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => master.post(text)),
    [true, true, true, false, false],
  )
  t.strictSame([master.state, log.splice(0)], ['active', ['WriteFull']], 'reported once')
  slave.process()
  t.strictSame(log, [], 'more than half is still there')
  slave.process()
  t.strictSame(log.splice(0), ['WriteReady'])
  t.equal(master.post(text), true)
  t.match(
    fault(() => master.post('x'.repeat(65))),
    'post: data must be at most 64 bytes long (size=80b); got 65',
  )
})

stage(t, 'a master behind a prefix', async (t, { context }) => {
  const master = context.init('deflate+mem://;name=m').open()
  t.equal(master.client_url, 'deflate+mem://;master=m')
  t.equal(context.init('mem://;master=m').open().state, 'active')
})

stage(t, 'masters and slaves open and close', async (t, stage) => {
  const [master, slave] = two(stage)
  t.match(
    fault(() => stage.context.init('mem://;master=n', { master: stage.context.init('null://') })),
    'a mem:// channel',
  )
  t.match(
    fault(() => stage.context.init('mem://;size=1b')),
    'size must be a size of at least 32b',
  )
  slave.close()
  master.post('waits')
  slave.open()
  const log = watch(slave)
  stage.clock.advance(0)
  t.strictSame(
    log,
    ['waits', 'Update process|pending'].reverse(),
    'messages from before it was open',
  )
  master.close()
  t.equal(slave.post('into the void'), true)
  slave.close()
  const errors: string[] = []
  slave.on_error = error => void errors.push(error.message)
  t.equal(slave.open().state, 'error')
  t.strictSame(errors, ['m, the master, is closed, not active'])
  slave.close()
  master.open()
  slave.open()
  const later = watch(slave).slice(0, 0)
  slave.on_message = ({ data }) => void later.push(String(data))
  stage.clock.advance(0)
  t.strictSame(later, [], 'new queues')
})

stage(t, 'a client of a server', async (t, { context, clock }) => {
  const server = context.init('mem://;name=s;mode=server').open()
  const client = context.init('deflate+mem://;master=s').open()
  const addrs: unknown[] = []
  server.on_message = ({ addr }) => void addrs.push(addr)
  client.post('x')
  clock.advance(0)
  server.close()
  t.equal(client.state, 'active')
  clock.advance(0)
  t.strictSame([addrs, client.state, await client.closed], [[1], 'closed', 'remote'])
})

// Two open slaves each received some of the messages.
stage(t, 'one slave at a time', async (t, stage) => {
  const [, slave] = two(stage)
  const second = stage.context.init('mem://;master=m')
  second.open()
  t.equal(second.state, 'error')
  t.match(stage.logged.splice(0), [
    /m, the master, already has an open slave, noname-0 .ERR_MASTER./,
  ])
  second.close()
  slave.close()
  t.equal(second.open().state, 'active')
})

stage(t, 'a writer that waits for room may close', async (t, stage) => {
  const [master, slave] = two(stage, ';size=40b')
  master.post('x')
  t.equal(master.post('x'.repeat(20)), false)
  const log = watch(master)
  master.close()
  slave.process()
  t.notOk(log.includes('WriteReady'))
})

stage(t, 'a writer is told with the message that fills the queue', async (t, stage) => {
  const [master, slave] = two(stage, ';size=64b')
  const log = watch(master)
  t.equal(master.post('x'.repeat(40)), true)
  t.strictSame(log.splice(0), ['WriteFull'])
  t.equal(master.post(''), false)
  slave.process()
  t.strictSame(log.splice(0), ['WriteReady'])
})

// It waited for ever.
stage(t, 'a slave that waits for room, and whose master closes', async (t, stage) => {
  const [master, slave] = two(stage, ';size=64b')
  slave.post('x'.repeat(40))
  const log = watch(slave)
  master.destroy()
  t.strictSame(log, ['Disconnect', 'WriteReady'])
  for (let count = 0; count < 5; count++) t.equal(slave.post('x'.repeat(40)), true, 'dropped')
  t.strictSame(log.length, 2)
})
