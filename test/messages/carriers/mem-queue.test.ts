import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { carried, MemQueue } from '../../../src/messages/carriers/mem-queue.ts'
import { Message } from '../../../src/messages/message.ts'
import { fault, stage, watch } from '../kit.ts'

const message = (size: number): Message => new Message({ data: 'x'.repeat(size) })

stage(t, 'a limit in bytes; a writer that waits is told of room', async (t, { context }) => {
  const [writer, reader] = [context.init('null://').open(), context.init('null://').open()]
  const [log, said] = [watch(writer), watch(reader)]
  const queue = new MemQueue(80)
  queue.reader = reader
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => queue.post(message(10), writer, 7)),
    [true, true, true, false, false],
    'with 16 bytes each',
  )
  t.strictSame([log.splice(0), said], [['WriteFull'], ['Update ']])
  queue.shift()
  queue.tellWriters()
  t.strictSame(log, [], 'more than half is still there')
  queue.shift()
  queue.tellWriters()
  t.strictSame(log.splice(0), ['WriteReady'])
  queue.tellWriters()
  t.strictSame(log, [], 'once')
  t.match(
    fault(() => queue.post(message(65), writer)),
    'post: data must be at most 64 bytes long (size=80b); got 65',
  )
  t.equal(queue.isEmpty, false)
  queue.shift()
  t.strictSame([queue.isEmpty, queue.shift()], [true, undefined])
  queue.push(message(80))
  t.equal(queue.post(message(1), writer), false)
  queue.leave(writer)
  queue.leave(reader)
  queue.shift()
  queue.tellWriters()
  t.strictSame(
    [log, queue.reader],
    [['WriteFull'], undefined],
    'a channel that has left is told nothing',
  )
})

stage(t, 'abandoned: what is posted is dropped, and nobody waits', async (t, { context }) => {
  const writer = context.init('null://').open()
  const log = watch(writer)
  const queue = new MemQueue(40)
  queue.post(message(20), writer)
  queue.abandon()
  t.strictSame(log, ['WriteFull', 'WriteReady'])
  t.strictSame([queue.post(message(20), writer), queue.post(message(20), writer)], [true, true])
})

// A queue that was never empty kept every message that had ever been in it.
t.test('a message that was taken is freed', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const queue = new MemQueue(1e6)
  const first = new WeakRef(message(1))
  queue.push(first.deref() as Message)
  for (let count = 0; count < 3000; count++) {
    queue.push(message(1))
    queue.shift()
  }
  await new Promise(setImmediate)
  gc()
  t.equal(first.deref(), undefined)
})

t.test('very many: in order, whether it is emptied or never empty', async t => {
  const queue = new MemQueue(1e6)
  let [posted, taken] = [0, 0]
  const move = (count: number, after: number): void => {
    for (let each = 0; each < count; each++) queue.push(new Message({ msgid: posted++ }))
    while (posted - taken > after) {
      if (queue.shift()?.msgid !== taken++) t.fail(`not in order at ${taken}`)
    }
  }
  for (let round = 0; round < 4; round++) {
    move(10_000, 3000)
    move(3000, 1)
    move(5000, 0)
    t.strictSame([queue.isEmpty, queue.shift()], [true, undefined])
  }
})

t.test('which messages and fields are carried', async t => {
  const [data, control] = [
    new Message({ data: 'a', msgid: 5, seq: 6n, addr: 7, time: 8 }),
    new Message({ type: 'control', msgid: 9 }),
  ]
  t.match(carried(data, false, undefined), {
    data: Buffer.from('a'),
    msgid: 5,
    seq: 6n,
    addr: undefined,
    time: 0,
  })
  t.match(carried(data, true, 3), { data: Buffer.from('a'), msgid: 5, seq: 6n, addr: 3, time: 8 })
  t.equal(carried(control, false, 3), undefined)
  const plain = new Message({ data: 'a' })
  t.equal(carried(plain, true, undefined), plain, 'as it is')
  t.match(carried(control, true, 3), { type: 'control', msgid: 9, addr: 3 })
})
