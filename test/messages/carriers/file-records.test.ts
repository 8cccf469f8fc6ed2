import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nodeFiles } from '../../../src/io/node.ts'
import { type Ended, FileRecords } from '../../../src/messages/carriers/file-records.ts'
import { type Frame, FRAMES } from '../../../src/messages/carriers/frames.ts'
import type { Message } from '../../../src/messages/message.ts'
import { turn } from '../../kit.ts'

const frame = (name: string): Frame => FRAMES.get(name) as Frame

/** Waits for the next message. */
async function next(records: FileRecords): Promise<Message | Ended> {
  for (;;) {
    const message = records.next()
    if (message !== 'starved') return message
    await turn()
  }
}

const text = (message: Message | Ended): string =>
  typeof message === 'string' ? message : String(message.data)

t.test('messages one by one, and those appended later', async t => {
  const path = join(t.testdir({}), 'file')
  writeFileSync(path, 'one\ntwo\nhalf')
  let ready = 0
  const records = new FileRecords(nodeFiles, path, frame('line'), 100, () => ready++)
  t.equal(records.next(), 'starved')
  t.strictSame([text(await next(records)), text(await next(records))], ['one', 'two'])
  t.strictSame([await next(records), records.position], ['end', 8])
  // The last line of a text file was lost if it had no line end.
  const other = new FileRecords(nodeFiles, path, frame('line'), 100, () => {})
  while ((await next(other)) !== 'end');
  t.equal(text(other.rest() as Message), 'half')
  t.equal(other.rest(), undefined)
  appendFileSync(path, ' whole\n')
  records.again()
  t.strictSame(
    [text(await next(records)), await next(records), records.position],
    ['half whole', 'end', 19],
  )
  t.ok(ready > 1)
  records.close()
})

t.test('frames with several parts', async t => {
  const path = join(t.testdir({}), 'file')
  writeFileSync(path, Buffer.from('01000000050000000600000000000000' + '61', 'hex'))
  const records = new FileRecords(nodeFiles, path, frame('std'), 100, () => {})
  t.match(await next(records), { msgid: 5, seq: 6n, data: Buffer.from('a') })
  t.equal(records.rest(), undefined)
  records.close()
})

t.test('errors', async t => {
  const path = join(t.testdir({}), 'file')
  await t.rejects(next(new FileRecords(nodeFiles, path, frame('line'), 10, () => {})), {
    code: 'ENOENT',
  })
  writeFileSync(path, 'ok\nmuch too long a line\n')
  const records = new FileRecords(nodeFiles, path, frame('line'), 10, () => {})
  t.equal(text(await next(records)), 'ok')
  await t.rejects(next(records), {
    code: 'ERR_OVERFLOW',
    message: /file: a message is longer than 10 bytes \(buffer-size\), or invalid$/,
  })
  records.close()
})

t.test('followed: another file begins', async t => {
  const path = join(t.testdir({}), 'file')
  writeFileSync(path, 'one\nhalf')
  const records = new FileRecords(nodeFiles, path, frame('line'), 100, () => {}, true)
  t.strictSame([text(await next(records)), await next(records)], ['one', 'end'])
  t.equal(records.incomplete, 4)
  writeFileSync(path, 'new\n')
  records.again()
  t.strictSame([await next(records), records.drop()], ['truncated', 4])
  t.strictSame([text(await next(records)), await next(records)], ['new', 'end'])
  t.equal(records.drop(), 0)
  records.close()
})

// It was read as one false message, msgid 1635018061, and then an overflow.
t.test('a file of TLL is refused by name', async t => {
  const path = join(t.testdir({}), 'file')
  writeFileSync(path, Buffer.from('310000004d6574610000000000000000' + '00'.repeat(40), 'hex'))
  for (const name of ['std', 'bson', 'line']) {
    await t.rejects(next(new FileRecords(nodeFiles, path, frame(name), 100, () => {})), {
      code: 'ERR_FILE_FORMAT',
      message: /file is a file of TLL/,
    })
  }
  const raw = new FileRecords(nodeFiles, path, frame('none'), 100, () => {})
  t.equal(text(await next(raw)).length, 56, 'bytes are bytes')
  raw.close()
})
