/**
 * Reading files for the write path: every kind of source, every way to end, and no descriptor that
 * stays open.
 */

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { NodeFileSource } from '../../src/io/file-source.ts'

const CHUNK = 262_144

function openFile(...args: ConstructorParameters<typeof NodeFileSource>): NodeFileSource {
  return new NodeFileSource(...args)
}

const unlessPosix = process.platform === 'win32' ? { skip: 'needs POSIX files' } : {}
const unlessProc = existsSync('/proc/self/fd')
  ? {}
  : { skip: 'needs /proc/self/fd to see what is open' }

/** Bytes that differ from place to place, so that a wrong offset is noticed. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
  return bytes
}

/** Takes everything. What was taken before a failure is in `taken` of the error. */
function drain(source: NodeFileSource): Promise<Buffer> {
  const taken: Buffer[] = []
  return new Promise((resolve, reject) => {
    function pump(): void {
      try {
        for (;;) {
          const chunk = source.take()
          if (chunk === 'starved') return
          if (chunk === 'end') return resolve(Buffer.concat(taken))
          taken.push(chunk)
        }
      } catch (error) {
        reject(Object.assign(error as Error, { taken: Buffer.concat(taken) }))
      }
    }
    source.on_ready = pump
    pump()
  })
}

function ready(source: NodeFileSource): Promise<void> {
  return new Promise(resolve => (source.on_ready = resolve))
}

function loopTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** How many descriptors of this process are open on `path`. */
function openOn(path: string): number {
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter(link => link === path).length
}

/** Until no descriptor is open on `path`; the test's timeout is the limit. */
async function released(path: string): Promise<void> {
  while (openOn(path) > 0) await loopTurn()
}

t.test(
  'a whole file comes in chunks of 256 KiB, by path, URL, FileHandle and descriptor',
  async t => {
    const content = pattern(3 * CHUNK + 17)
    const path = join(t.testdir({ file: content }), 'file')
    t.ok((await drain(openFile(path, 0, 0))).equals(content))
    t.ok((await drain(openFile(pathToFileURL(path), 0, 0))).equals(content))

    const handle = await open(path)
    t.teardown(() => handle.close())
    t.ok((await drain(openFile(handle, 0, 0))).equals(content))
    t.not(handle.fd, -1, 'a FileHandle stays open')
    const start = await handle.read(Buffer.alloc(4), 0, 4, null)
    t.ok(start.buffer.equals(content.subarray(0, 4)), 'and stands where it stood')

    const fd = openSync(path, 'r')
    t.teardown(() => closeSync(fd))
    t.ok((await drain(openFile(fd, 0, 0))).equals(content))
    const head = Buffer.alloc(4)
    t.equal(readSync(fd, head), 4, 'a descriptor stays open')
    t.ok(head.equals(content.subarray(0, 4)), 'and stands where it stood')
  },
)

t.test('a part of a file', async t => {
  const content = pattern(2 * CHUNK)
  const path = join(t.testdir({ file: content, empty: '' }), 'file')
  const part = async (offset: number, nbytes: number) => {
    const source = openFile(path, offset, nbytes)
    const bytes = await drain(source)
    t.equal(source.size, bytes.length, 'size is what is delivered')
    return bytes
  }
  t.ok((await part(5, 10)).equals(content.subarray(5, 15)))
  t.ok((await part(100, CHUNK)).equals(content.subarray(100, 100 + CHUNK)))
  t.ok((await part(CHUNK, 0)).equals(content.subarray(CHUNK)), 'nbytes 0: to the end')
  t.ok((await part(10, 10 * CHUNK)).equals(content.subarray(10)), 'more than there is: to the end')
  t.equal((await part(2 * CHUNK, 0)).length, 0, 'from the end on: nothing')
  t.equal((await part(9 * CHUNK, 7)).length, 0, 'from beyond the end: nothing')
  t.equal((await drain(openFile(join(path, '../empty'), 0, 0))).length, 0, 'an empty file: nothing')
})

// Files of /proc say that their size is 0. Nothing of them was sent, and nothing said.
t.test('a file of /proc', unlessProc, async t => {
  const version = readFileSync('/proc/version', 'utf8')
  t.equal(String(await drain(openFile('/proc/version', 0, 0))), version)
  t.equal(String(await drain(openFile('/proc/version', 6, 5))), version.slice(6, 11))
})

t.test(
  'take: starved, chunk, end; on_ready once for each starved, and never inside a call',
  async t => {
    const path = join(t.testdir({ file: pattern(CHUNK + 1) }), 'file')
    const source = openFile(path, 0, 0)
    let calls = 0
    const first = new Promise<void>(resolve => (source.on_ready = () => (calls++, resolve())))
    t.equal(source.size, undefined, 'nothing is known before the file is open')
    t.equal(source.take(), 'starved')
    t.equal(source.take(), 'starved')
    t.equal(calls, 0)
    await first
    t.equal(calls, 1)
    t.equal(source.size, CHUNK + 1)
    t.equal((source.take() as Buffer).length, CHUNK)
    // The second chunk is being read now. Nothing is reported until it is asked for.
    t.equal(source.take(), 'starved')
    await ready(source)
    t.equal((source.take() as Buffer).length, 1)
    t.equal(source.take(), 'end')
    t.equal(source.take(), 'end')
    source.close()
    source.close()
    t.equal(calls, 1)
  },
)

t.test('a whole chunk that is given back is read into again, for any file', async t => {
  const path = join(t.testdir({ file: pattern(CHUNK + 1) }), 'file')
  const read = async (): Promise<[Buffer, Buffer]> => {
    const source = openFile(path, 0, 0)
    source.take()
    await ready(source)
    const whole = source.take() as Buffer
    if (source.take() === 'starved') await ready(source)
    const rest = source.take() as Buffer
    source.give_back(whole)
    source.give_back(rest)
    return [whole, rest]
  }
  const [whole, rest] = await read()
  const [again, other] = await read()
  t.equal(again, whole)
  t.ok(again.equals(pattern(CHUNK)))
  t.not(other, rest, 'what is shorter is not kept')
})

t.test('on_ready is called only after starved; a source without on_ready works, too', async t => {
  const path = join(t.testdir({ file: pattern(CHUNK + 1) }), 'file')
  const source = openFile(path, 0, 0)
  t.equal(source.take(), 'starved')
  while (source.size === undefined) await loopTurn()
  let chunk = source.take()
  while (chunk === 'starved') {
    await loopTurn()
    chunk = source.take()
  }
  source.on_ready = () => t.fail('nobody is waiting')
  // Nothing reports when a chunk has been read ahead. Reading the same file again takes at least as
  // many turns of the loop.
  await drain(openFile(path, 0, 0))
  t.pass()
  source.close()
})

t.test('what cannot be opened or read is thrown by take, again and again', async t => {
  const dir = t.testdir({ sub: {} })
  const missing = openFile(join(dir, 'missing'), 0, 0)
  await t.rejects(drain(missing), { code: 'ENOENT' })
  t.throws(() => missing.take(), { code: 'ENOENT' })
  missing.close()
  await t.rejects(drain(openFile(join(dir, 'sub'), 0, 0)), { code: 'EISDIR' }, 'a directory')

  // Not a descriptor that was just closed: its number might be in use again.
  await t.rejects(
    drain(openFile(2 ** 31 - 1, 0, 0)),
    { code: 'EBADF' },
    'a descriptor that is not open',
  )
  const handle = await open(dir)
  await handle.close()
  await t.rejects(drain(openFile(handle, 0, 0)), { code: 'EBADF' }, 'a closed FileHandle')
})

t.test('a file that shrinks while it is sent is an error, whatever was asked for', async t => {
  for (const nbytes of [0, 3 * CHUNK]) {
    const content = pattern(4 * CHUNK)
    const path = join(t.testdir({ file: content }), 'file')
    const source = openFile(path, 0, nbytes)
    source.take()
    await ready(source)
    truncateSync(path, CHUNK + 10)
    const failure = await drain(source).then(
      () => undefined,
      (error: Error & { taken: Buffer }) => error,
    )
    t.match(
      failure,
      { code: 'ERR_FILE_SHRANK', name: 'WriteError' },
      'it is not passed off as whole',
    )
    const taken = failure?.taken ?? Buffer.from('?')
    t.ok(taken.equals(content.subarray(0, taken.length)), 'what came before is right')
    source.close()
  }
})

t.test('a file that grows, or is replaced, is sent as it was when it was opened', async t => {
  const content = pattern(2 * CHUNK)
  const dir = t.testdir({ file: content, other: 'something else' })
  const path = join(dir, 'file')
  const source = openFile(path, 0, 0)
  source.take()
  await ready(source)
  appendFileSync(path, 'more')
  renameSync(join(dir, 'other'), path)
  t.ok((await drain(source)).equals(content))
})

t.test('devices and pipes have no size', unlessPosix, async t => {
  const zero = openFile('/dev/zero', 7, CHUNK + 100)
  const zeros = await drain(zero)
  t.equal(zeros.length, CHUNK + 100)
  t.equal(zero.size, undefined)
  t.equal((await drain(openFile('/dev/null', 0, 0))).length, 0)

  const fifo = join(t.testdir({}), 'fifo')
  execFileSync('mkfifo', [fifo])
  const send = async (text: string) => {
    const writer = await open(fifo, 'w')
    await writer.write(text)
    await writer.close()
  }
  const [all] = await Promise.all([drain(openFile(fifo, 0, 0)), send('as it comes')])
  t.equal(String(all), 'as it comes', 'a pipe is read to its end')
  const [part] = await Promise.all([drain(openFile(fifo, 0, 5)), send('as it comes')])
  t.equal(String(part), 'as it', 'or to nbytes')
  const [error] = await Promise.all([
    drain(openFile(fifo, 3, 0)).catch((error: Error) => error),
    send(''),
  ])
  t.match(error, { code: 'ESPIPE' }, 'a pipe has no offsets')
})

t.test(
  'what was opened here is closed here: at the end, after an error, by close',
  unlessProc,
  async t => {
    const path = join(t.testdir({ file: pattern(CHUNK + 1) }), 'file')
    await drain(openFile(path, 0, 0))
    await released(path)
    t.pass('at the end, without close')

    const shrinking = openFile(path, 0, 0)
    shrinking.take()
    await ready(shrinking)
    truncateSync(path, 0)
    await drain(shrinking).catch(() => {})
    await released(path)
    t.pass('after an error, without close')

    writeFileSync(path, pattern(3 * CHUNK))
    const source = openFile(path, 0, 0)
    source.take()
    await ready(source)
    t.equal(openOn(path), 1)
    source.take()
    // A read is under way.
    source.close()
    await released(path)
    t.throws(() => source.take(), { code: 'ERR_INVALID_STATE' })

    // Closing once too often would now close another file, which has got the same descriptor.
    const other = openSync(path, 'r')
    source.close()
    shrinking.close()
    await loopTurn()
    t.equal(readSync(other, Buffer.alloc(1)), 1)
    closeSync(other)
  },
)

t.test('close while the file is being opened, or before it is', unlessProc, async t => {
  const path = join(t.testdir({ file: 'content' }), 'file')
  const never = openFile(path, 0, 0)
  never.close()
  t.equal(openOn(path), 0)

  const fifo = join(t.testdir({}), 'fifo')
  execFileSync('mkfifo', [fifo])
  const opening = openFile(fifo, 0, 0)
  opening.on_ready = () => t.fail('on_ready after close')
  // Opening a pipe waits until its other end is opened.
  opening.take()
  opening.close()
  const writer = await open(fifo, constants.O_WRONLY)
  await writer.close()
  await released(fifo)
  t.pass('nothing stays open')
})

t.test('close during a read that waits', unlessProc, async t => {
  const fifo = join(t.testdir({}), 'fifo')
  execFileSync('mkfifo', [fifo])
  const source = openFile(fifo, 0, 0)
  source.take()
  const writer = await open(fifo, 'w')
  await writer.write('first')
  await ready(source)
  t.equal(String(source.take()), 'first')
  t.equal(source.take(), 'starved')
  source.on_ready = () => t.fail('on_ready after close')
  source.close()
  await writer.close()
  await released(fifo)
  t.pass('nothing stays open')
})

t.test('bad arguments are thrown at once', async t => {
  const invalid = { code: 'ERR_INVALID_ARGUMENT' }
  const url = new URL('http://host/file')
  for (const source of [
    undefined,
    null,
    '',
    'a\0b',
    -1,
    1.5,
    NaN,
    2 ** 31,
    {},
    { stat() {} },
    url,
    Buffer.from('path'),
  ]) {
    t.throws(() => openFile(source as string, 0, 0), invalid)
  }
  for (const bytes of [-1, 1.5, NaN, Infinity, '1', 1n, undefined, null]) {
    t.throws(() => openFile('file', bytes as number, 0), invalid)
    t.throws(() => openFile('file', 0, bytes as number), invalid)
  }
})
