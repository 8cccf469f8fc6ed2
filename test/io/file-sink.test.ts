import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { NodeFileSink } from '../../src/io/file-sink.ts'
import type { FileEnds } from '../../src/transport.ts'
import { turn } from '../kit.ts'

/** What the sinks found in their files. */
const found: (FileEnds | undefined)[] = []

interface Made {
  readonly sink: NodeFileSink
  readonly log: string[]
  /** Resolves when that has been reported so often. */
  until(what: string, times?: number): Promise<void>
}

function make(path: string, offset = Infinity): Made {
  const log: string[] = []
  const sink = new NodeFileSink(path, offset, {
    opened: ends => {
      log.push('opened')
      found.push(ends)
    },
    drained: () => log.push('drained'),
    failed: error => log.push(`failed ${(error as { code: string }).code}`),
    closed: () => log.push('closed'),
  })
  const until = async (what: string, times = 1): Promise<void> => {
    while (log.filter(each => each === what).length < times) await turn()
  }
  return { sink, log, until }
}

const fileIn = (t: Test, content?: string): string => {
  const path = join(t.testdir({}), 'file')
  if (content !== undefined) writeFileSync(path, content)
  return path
}

t.test('makes the file, writes in order, closes', async t => {
  const path = fileIn(t)
  const { sink, log, until } = make(path)
  sink.write(Buffer.from('a'))
  sink.write(Buffer.from('b'))
  t.strictSame([log, sink.bytes_queued], [[], 2], 'nothing inside a call')
  await until('drained')
  t.equal(sink.bytes_queued, 0)
  sink.write(Buffer.from('c'))
  sink.close()
  sink.close()
  await until('closed')
  t.strictSame(
    [readFileSync(path, 'latin1'), log],
    ['abc', ['opened', 'drained', 'drained', 'closed']],
  )
  sink.close()
})

t.test('cuts off what is there, and goes on after it', async t => {
  const path = fileIn(t, 'whole|half')
  const { sink, until } = make(path, 6)
  sink.write(Buffer.from('more'))
  sink.close()
  await until('closed')
  t.equal(readFileSync(path, 'latin1'), 'whole|more')
})

t.test('what is written while it writes is written afterwards', async t => {
  const path = fileIn(t)
  const { sink, log, until } = make(path)
  await until('opened')
  sink.write(Buffer.alloc(1_000_000, 'x'))
  await turn()
  sink.write(Buffer.from('y'))
  await until('drained')
  sink.close()
  await until('closed')
  t.equal(readFileSync(path, 'latin1').at(-1), 'y')
  t.equal(readFileSync(path).length, 1_000_001)
  t.ok(log.length >= 3)
})

t.test('dropped: nothing is reported any more, and the file is free', async t => {
  const path = fileIn(t)
  const one = make(path)
  await one.until('opened')
  one.sink.write(Buffer.from('lost'))
  one.sink.close(true)
  const two = make(path)
  two.sink.write(Buffer.from('kept'))
  two.sink.close()
  await two.until('closed')
  t.strictSame([one.log, readFileSync(path, 'latin1')], [['opened'], 'kept'])
})

// The second one, dropped while it waited for the first, was in the way of the third.
t.test('opened and dropped several times in a turn', async t => {
  const path = fileIn(t)
  const one = make(path)
  await one.until('opened')
  const dropped = [one, make(path), make(path)]
  for (const { sink } of dropped) sink.close(true)
  const last = make(path)
  last.sink.write(Buffer.from('kept'))
  last.sink.close()
  await last.until('closed')
  t.equal(readFileSync(path, 'latin1'), 'kept')
})

t.test('a second one fails', async t => {
  const path = fileIn(t)
  const one = make(path)
  const two = make(path)
  await two.until('failed EBUSY')
  one.sink.close()
  await one.until('closed')
  t.strictSame([one.log, two.log], [['opened', 'closed'], ['failed EBUSY']])
})

t.test('what the system says', async t => {
  const folder = t.testdir({})
  const missing = make(join(folder, 'no', 'file'))
  await missing.until('failed ENOENT')
  mkdirSync(join(folder, 'folder'))
  const directory = make(join(folder, 'folder'))
  await directory.until('failed EISDIR')
  t.strictSame([missing.log, directory.log], [['failed ENOENT'], ['failed EISDIR']])
})

// It wrote where it believed the end to be: what another process had written was overwritten, and a
// file that had been cut off got a hole.
t.test('it appends, whatever others do to the file', async t => {
  const path = fileIn(t, 'theirs|')
  const { sink, until } = make(path)
  await until('opened')
  t.match(found.at(-1), { size: 7, first: Buffer.from('theirs|'), last_byte: 124 })
  appendFileSync(path, 'more|')
  sink.write(Buffer.from('ours|'))
  await until('drained')
  t.equal(readFileSync(path, 'latin1'), 'theirs|more|ours|')
  truncateSync(path, 0)
  sink.write(Buffer.from('a|'))
  await until('drained', 2)
  t.equal(readFileSync(path, 'latin1'), 'a|')
  renameSync(path, `${path}.1`)
  sink.write(Buffer.from('b|'))
  sink.close()
  await until('closed')
  t.equal(readFileSync(`${path}.1`, 'latin1'), 'a|b|')
})

t.test('emptied; what is no regular file', async t => {
  const path = fileIn(t, 'theirs')
  const { sink, until } = make(path, 0)
  sink.write(Buffer.from('ours'))
  sink.close()
  await until('closed')
  t.strictSame([readFileSync(path, 'latin1'), found.at(-1)], ['ours', undefined])
  const device = make('/dev/null')
  device.sink.close()
  await device.until('closed')
  t.equal(found.at(-1), undefined)
})

t.test('a disk that is full', async t => {
  const { sink, log, until } = make('/dev/full')
  await until('opened')
  sink.write(Buffer.from('lost'))
  await until('failed ENOSPC')
  t.strictSame([log, sink.bytes_queued], [['opened', 'failed ENOSPC'], 4], 'what was lost')
})

// Of the last message a part was left in the file, which no reader understands.
t.test('of a chunk that was written in part nothing is left', async t => {
  const path = fileIn(t, 'before|')
  const { sink, until } = make(path)
  await until('opened')
  const { prototype } = (await open(path, 'r').then(async handle => {
    await handle.close()
    return handle.constructor
  })) as unknown as { prototype: FileHandle }
  const { write } = prototype
  let count = 0
  prototype.write = async function (this: FileHandle, buffer: Buffer, offset: number) {
    if (++count === 2) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    return (write as (...args: unknown[]) => never).call(this, buffer, offset, 5)
  } as never
  sink.write(Buffer.from('one|'))
  sink.write(Buffer.from('two|'))
  await until('failed ENOSPC')
  prototype.write = write
  t.strictSame([readFileSync(path, 'latin1'), sink.bytes_queued], ['before|one|', 4])
})
