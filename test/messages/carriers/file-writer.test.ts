import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { thrown, turn } from '../../kit.ts'
import { fault, type Stage, stage, watch } from '../kit.ts'

const pathIn = (t: Test): string => join(t.testdir({}), 'log')

/** Waits for the file, turn by turn, until the channel is in one of the states. */
async function settled(
  stage: Stage,
  channel: MessageChannel,
  states: string[] = ['active', 'closed', 'error'],
): Promise<string> {
  while (!states.includes(channel.state)) {
    stage.clock.advance(0)
    await turn()
  }
  return channel.state
}

async function open(stage: Stage, path: string, parameters = ''): Promise<MessageChannel> {
  const writer = stage.context.init(`file://${path};dir=w${parameters}`).open()
  t.equal(await settled(stage, writer), 'active')
  return writer
}

stage(t, 'writes, closes, and appends when it is opened again', async (t, stage) => {
  const path = pathIn(t)
  const writer = await open(stage, path)
  t.strictSame(
    [writer.info, [...writer.caps]],
    [{ 'seq-begin': -1n, seq: -1n, unsent: 0 }, ['out', 'long_close']],
  )
  t.equal(writer.post({ data: 'a', msgid: 1, seq: 5n }), true)
  t.equal(writer.post({ type: 'control', msgid: 1 }), true)
  t.match(
    fault(() => writer.post({ data: 'b', seq: 5n })),
    'post: seq must be greater than the seq of the last message, 5; got 5n',
  )
  t.equal(writer.state, 'active')
  writer.close()
  t.equal(writer.state, 'closing')
  t.equal(await settled(stage, writer, ['closed']), 'closed')
  t.equal(readFileSync(path).toString('hex'), '01000000010000000500000000000000' + '61')
  writer.open()
  await settled(stage, writer)
  t.match(writer.info, { 'seq-begin': 5n, seq: 5n })
  t.equal(
    thrown(() => writer.post({ data: 'b', seq: 4n })),
    'ERR_INVALID_ARGUMENT',
  )
  writer.post({ data: 'b', seq: 6n })
  writer.close()
  await settled(stage, writer, ['closed'])
  t.equal(readFileSync(path).length, 34)
})

// It was cut off when the file was opened, whatever it was: a text opened as frame=short was empty
// then.
stage(t, 'a file of another kind is refused, and stays as it is', async (t, stage) => {
  const path = pathIn(t)
  for (const [frame, content, code] of [
    ['short', 'hello world, this is a text\n', 'ERR_FILE_CUT'],
    ['std', '\x01\0a,b,c\n1,2,3\n', 'ERR_FILE_CUT'],
    ['size32', '\xff\xff\xff\xff', 'ERR_OVERFLOW'],
    ['line', '1\0\0\0Meta\0\0\0\0\0\0\0\0and so on', 'ERR_FILE_FORMAT'],
  ] as const) {
    writeFileSync(path, content, 'latin1')
    const writer = stage.context.init(`file://${path};dir=w;frame=${frame}`)
    const errors: unknown[] = []
    writer.on_error = error => void errors.push((error as Error & { code: string }).code)
    writer.open()
    t.equal(await settled(stage, writer), 'error')
    t.strictSame([errors, readFileSync(path, 'latin1')], [[code], content])
    writer.close()
    t.equal(writer.state, 'closed')
  }
})

// Opening alone removed it.
stage(t, 'a last line without a line end is a line', async (t, stage) => {
  const path = pathIn(t)
  writeFileSync(path, 'one\ntwo')
  const writer = await open(stage, path, ';frame=line')
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo')
  writer.post('three')
  writer.post('four')
  writer.close()
  await settled(stage, writer, ['closed'])
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\nfour\n')
})

stage(t, 'overwrite; a name that the opening gives', async (t, stage) => {
  const path = pathIn(t)
  writeFileSync(path, 'hello world, this is a text\n')
  const writer = stage.context.init('file://;dir=w;overwrite=yes')
  writer.on_error = () => {}
  t.equal(writer.open().state, 'error', 'no name')
  writer.close()
  writer.open({ filename: path })
  await settled(stage, writer)
  writer.post({ data: 'a', seq: 1n })
  writer.close()
  await settled(stage, writer, ['closed'])
  t.equal(readFileSync(path).length, 17)
})

stage(t, 'a disk that is full', async (t, stage) => {
  const writer = await open(stage, '/dev/full', ';frame=line')
  const errors: unknown[] = []
  writer.on_error = error => void errors.push((error as Error & { code: string }).code)
  writer.post('lost')
  t.equal(await settled(stage, writer, ['error']), 'error')
  t.strictSame([errors, writer.info.unsent], [['ENOSPC'], 5])
})

stage(
  t,
  'half a message at the end is cut off, if that is asked for; autoseq',
  async (t, stage) => {
    const path = pathIn(t)
    const whole = Buffer.from('01000000000000000900000000000000' + '61', 'hex')
    writeFileSync(path, Buffer.concat([whole, whole.subarray(0, 10)]))
    const writer = await open(stage, path, ';autoseq=yes;repair=yes')
    writer.post('b')
    t.equal(writer.info.seq, 10n)
    writer.close()
    await settled(stage, writer, ['closed'])
    t.equal(readFileSync(path).length, 34)
  },
)

stage(t, 'lines', async (t, stage) => {
  const path = pathIn(t)
  const writer = await open(stage, path, ';frame=line;buffer-size=10b')
  writer.post('one')
  writer.post('two')
  t.equal(
    thrown(() => writer.post('much too long')),
    'ERR_INVALID_ARGUMENT',
  )
  writer.close()
  await settled(stage, writer, ['closed'])
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
})

stage(t, 'full and ready', async (t, stage) => {
  const writer = await open(stage, pathIn(t), ';frame=none;send-buffer-size=10b')
  const log = watch(writer)
  t.strictSame(
    [writer.post('more than ten bytes'), writer.post('x'), log],
    [true, false, ['WriteFull']],
  )
  while (!log.includes('WriteReady')) await turn()
  t.equal(writer.post('x'), true)
  writer.close()
  await settled(stage, writer, ['closed'])
})

stage(t, 'a second writer; errors of the system', async (t, stage) => {
  const path = pathIn(t)
  const one = await open(stage, path)
  const errors: string[] = []
  for (const url of [
    `file://${path};dir=w`,
    'file:///no/such/folder/x;dir=w',
    'file:///tmp;dir=w',
  ]) {
    const other = stage.context.init(url)
    other.on_error = error => void errors.push((error as Error & { code: string }).code)
    other.open()
    t.equal(await settled(stage, other), 'error')
    other.close()
    t.equal(other.state, 'closed')
  }
  t.strictSame(errors, ['EBUSY', 'ENOENT', 'EISDIR'])
  one.close(true)
  t.equal(one.state, 'closed')
})

stage(t, 'closed while it opens', async (t, stage) => {
  const path = pathIn(t)
  writeFileSync(path, 'x')
  const writer = stage.context.init(`file://${path};dir=w`).open()
  t.equal(writer.process(), false, 'not read yet')
  writer.close()
  await settled(stage, writer, ['closed'])
  writer.open().close(true)
  writer.open()
  await settled(stage, writer)
  t.equal(writer.process(), false, 'nothing to do')
  writer.close(true)
  for (let turns = 0; turns < 10; turns++) await turn()
})

stage(t, 'parameters', async (t, { context }) => {
  t.equal(context.init('file://x;dir=w;frame=line').carries.data, 'line')
  for (const wrong of [
    'frame=x',
    'buffer-size=0b',
    'buffer-size=15b',
    'send-buffer-size=1',
    'autoseq=x',
    'overwrite=x',
    'repair=x',
    'frame=line;autoseq=yes',
  ])
    t.match(
      fault(() => context.init(`file://x;dir=w;${wrong}`)),
      'must be',
    )
})
