import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FRAMES } from '../../../src/messages/carriers/frames.ts'
import { Control, Message } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { thrown, turn } from '../../kit.ts'
import { fault, type Stage, stage, text } from '../kit.ts'

/** Makes a file with messages of these numbers. */
function fileIn(t: Test, ...seqs: number[]): string {
  const path = join(t.testdir({}), 'log')
  writeFileSync(path, pack(...seqs))
  return path
}

function pack(...seqs: number[]): Buffer {
  return Buffer.concat(
    seqs.flatMap(seq => {
      const message = new Message({ data: `m${seq}`, seq: BigInt(seq) })
      return [FRAMES.get('std')!.head(message) as Uint8Array, message.data]
    }),
  )
}

async function run(stage: Stage, done: () => boolean): Promise<void> {
  while (!done()) {
    stage.clock.advance(0)
    await turn()
  }
}

function make(
  stage: Stage,
  path: string,
  parameters = '',
): { reader: MessageChannel; log: string[] } {
  const reader = stage.context.init(`file://${path}${parameters}`)
  const log: string[] = []
  reader.callback_add(message => void log.push(text(message)), ['data', 'control'])
  return { reader, log }
}

/** What a reader gives until it closes. */
async function all(stage: Stage, path: string, parameters = '', opening = ''): Promise<string> {
  const { reader, log } = make(stage, path, parameters)
  reader.open(opening)
  await run(stage, () => reader.state === 'closed')
  return log.join(' ').replaceAll(/m(\d+) @\d+/g, '$1')
}

stage(t, 'where it begins; it reads to the end', async (t, stage) => {
  const path = fileIn(t, 1, 3, 5)
  t.equal(await all(stage, path), '1 3 5 EndOfData')
  t.equal(await all(stage, path, ';seq=3'), '3 5 EndOfData')
  t.equal(await all(stage, path, ';seq=2'), '3 5 EndOfData', 'the first one that is at least that')
  t.equal(await all(stage, path, ';seq=9'), 'EndOfData')
  t.equal(await all(stage, path, ';seq=9', 'seq=5'), '5 EndOfData', 'the opening takes precedence')
  t.equal(await all(stage, path, ';mode=last'), '5 EndOfData')
  t.equal(await all(stage, path, ';mode=end'), 'EndOfData')
  t.equal(await all(stage, fileIn(t)), 'EndOfData')
  t.equal(await all(stage, fileIn(t), ';mode=last'), 'EndOfData')
  t.equal(
    await all(stage, fileIn(t, ...Array(2500).keys()), ';seq=2499'),
    '2499 EndOfData',
    'many are skipped',
  )
})

stage(t, 'a text file', async (t, stage) => {
  const path = join(t.testdir({}), 'text')
  writeFileSync(path, 'one\ntwo\nthree')
  t.equal(await all(stage, path, ';frame=line'), 'one two three EndOfData', 'its last line, too')
  t.equal(await all(stage, path, ';frame=line;mode=last'), 'three EndOfData')
  t.equal(await all(stage, path, ';frame=line;mode=end'), 'EndOfData')
})

stage(t, 'it waits for more', async (t, stage) => {
  const path = fileIn(t, 1)
  const { reader, log } = make(stage, path, ';autoclose=no;interval=50ms')
  reader.open()
  t.equal(reader.state, 'opening')
  await run(stage, () => log.length === 2)
  t.strictSame([reader.state, reader.info], ['active', { seq: 1n }])
  appendFileSync(path, pack(2))
  stage.clock.advance(49)
  for (let turns = 0; turns < 5; turns++) await turn()
  t.equal(log.length, 2)
  stage.clock.advance(1)
  await run(stage, () => log.length === 3)
  t.strictSame(log, ['m1 @1', 'EndOfData', 'm2 @2'], 'the end is reported once')
  reader.post({ type: 'control', msgid: Control.Seek, seq: 2n })
  await run(stage, () => log.length === 5)
  t.strictSame(log.slice(3), ['m2 @2', 'EndOfData'])
  for (const wrong of ['data', { type: 'control' as const, msgid: 1 }])
    t.equal(
      thrown(() => reader.post(wrong)),
      'ERR_INVALID_ARGUMENT',
    )
  reader.close()
  t.equal(reader.state, 'closed')
  stage.clock.advance(100)
})

stage(t, 'a callback at the end', async (t, stage) => {
  const { reader, log } = make(stage, fileIn(t, 1, 2))
  let count = 0
  reader.on_control = () => {
    if (++count === 1) reader.post({ type: 'control', msgid: Control.Seek, seq: 2n })
  }
  reader.open()
  await run(stage, () => reader.state === 'closed')
  t.strictSame(log, ['m1 @1', 'm2 @2', 'EndOfData', 'm2 @2', 'EndOfData'], 'it may seek')
  reader.on_control = () => reader.close()
  reader.open()
  await run(stage, () => reader.state === 'closed')
})

stage(t, 'files and parameters that are invalid', async (t, stage) => {
  const errors: string[] = []
  const open = async (path: string): Promise<void> => {
    const { reader } = make(stage, path)
    reader.on_error = error => void errors.push((error as Error & { code: string }).code)
    reader.open()
    await run(stage, () => reader.state === 'error')
    reader.close()
  }
  await open('/no/such/file')
  await open('/tmp')
  const path = join(t.testdir({}), 'x')
  writeFileSync(path, Buffer.alloc(100, 0xff))
  await open(path)
  t.strictSame(errors, ['ENOENT', 'EISDIR', 'ERR_OVERFLOW'])
  // An interval of 0 was an error of a timer, at the end of the file.
  const wrongs = ['frame=x', 'buffer-size=1', 'autoclose=x', 'interval=1', 'mode=x', 'seq=x']
  for (const wrong of [...wrongs, 'buffer-size=15b', 'interval=0s'])
    t.match(
      fault(() => stage.context.init(`file://x;${wrong}`)),
      'must be',
    )
  const reader = stage.context.init('file://x')
  t.equal(reader.carries.data, 'any')
  reader.on_error = () => {}
  t.equal(reader.open('mode=x').state, 'error')
})

stage(t, 'closed while it opens', async (t, stage) => {
  const { reader, log } = make(stage, fileIn(t, 1))
  reader.open().close()
  reader.open().close(true)
  await run(stage, () => reader.state === 'closed')
  t.strictSame(log, [])
})

stage(t, 'a file that is renamed, cut off, removed', async (t, stage) => {
  const path = join(t.testdir({}), 'log')
  writeFileSync(path, 'one\ntwo')
  const { reader, log } = make(stage, path, ';frame=line;autoclose=no;interval=10ms;seq=0')
  const errors: string[] = []
  reader.on_error = error => void errors.push(error.message)
  reader.open()
  const until = async (count: number): Promise<void> => {
    while (log.length < count) {
      stage.clock.advance(10)
      await turn()
    }
  }
  await until(2)
  renameSync(path, `${path}.1`)
  for (let turns = 0; turns < 20; turns++) {
    stage.clock.advance(10)
    await turn()
  }
  writeFileSync(path, 'three\nfo')
  await until(4)
  t.strictSame(log, ['one', 'EndOfData', 'two', 'three'], 'its last line is a line')
  writeFileSync(path, 'x\n')
  await until(5)
  t.strictSame(
    [log[4], errors],
    ['x', [`${path} was truncated: 2 bytes at its end were no whole message`]],
  )
  reader.close()
})

stage(t, 'when the end is told', async (t, stage) => {
  const path = fileIn(t, 1)
  t.equal(await all(stage, path, ';end-of-data=before-close'), '1 EndOfData')
  const { reader, log } = make(stage, path, ';autoclose=no;interval=10ms;end-of-data=many')
  reader.open()
  await run(stage, () => log.length === 2)
  appendFileSync(path, pack(2))
  stage.clock.advance(10)
  await run(stage, () => log.length === 4)
  t.strictSame(log, ['m1 @1', 'EndOfData', 'm2 @2', 'EndOfData'])
  reader.close()
  const silent = make(stage, path, ';autoclose=no;end-of-data=before-close')
  silent.reader.open()
  await run(stage, () => silent.log.length === 2)
  for (let turns = 0; turns < 10; turns++) await turn()
  t.strictSame(silent.log, ['m1 @1', 'm2 @2'])
})

stage(t, 'a name that the opening gives', async (t, stage) => {
  t.equal(await all(stage, '', '', `filename=${fileIn(t, 1)}`), '1 EndOfData')
})

// The first message came after on_close.
stage(t, 'closed, or suspended, when it becomes active', async (t, stage) => {
  const { reader, log } = make(stage, fileIn(t, 1))
  reader.on_state = state => {
    if (state === 'active') reader.close(true)
  }
  reader.open()
  await run(stage, () => reader.state === 'closed')
  t.strictSame(log, [])
  reader.on_state = state => {
    if (state === 'active') reader.suspend()
  }
  reader.open()
  await run(stage, () => reader.state === 'active')
  for (let turns = 0; turns < 10; turns++) {
    stage.clock.advance(0)
    await turn()
  }
  t.strictSame(log, [])
  reader.resume()
  await run(stage, () => reader.state === 'closed')
  t.strictSame(log, ['m1 @1', 'EndOfData'])
})
