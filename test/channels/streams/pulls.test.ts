/** What the program awaits of a stream: its reads, and what becomes of those that nobody awaits. */

import { Buffer } from 'node:buffer'
import t, { type Test } from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import { ClosedError } from '../../../src/errors.ts'
import { fate, turn } from '../../kit.ts'
import { error, kit, type Kit, withResolvers } from '../link-kit.ts'

/** A client that keeps what on_read got. */
class Lines extends Client {
  override read_delimiter: any = '\n'
  reads: string[] = []
  override on_read(line: any): any {
    this.reads.push(line)
  }
}

/** A client without an on_read of its own. (That of the kit is one.) */
async function plain(t: Test, options = {}, isOpen = true): Promise<Kit<Client>> {
  const made = await kit(t, Client, { read_delimiter: '\n', ...options }, isOpen)
  delete (made.stream as Partial<Client>).on_read
  return made
}

t.test('what nobody awaits goes to on_read, in the next turn', async t => {
  const { stream, sink, clock } = await kit(t, Lines)
  const first = stream.read()
  sink.received(Buffer.from('one\ntwo\nthree\nfour\n'))
  t.equal(await first, 'one')
  t.equal(await stream.read(), 'two')
  t.equal(await stream.read(2), 'th')
  t.same(stream.reads, [])
  clock.advance(0)
  t.same(stream.reads, ['ree', 'four'])
})

t.test('without an on_read, it waits for the next read', async t => {
  const { stream, sink, clock, transport } = await plain(t)
  sink.received(Buffer.from('nobody reads at all: this is dropped\n'))
  const first = stream.read()
  sink.received(Buffer.from('one\ntwo\n'))
  clock.advance(1000)
  t.equal(transport.news, 'pause')
  t.same([await first, await stream.read()], ['one', 'two'])
  const third = stream.read()
  t.equal(transport.news, 'resume')
  sink.received(Buffer.from('three\n'))
  t.equal(await third, 'three')
})

t.test('what nobody awaits goes to the method that become() has named', async t => {
  const { stream, sink, clock } = await plain(t)
  const got: string[] = []
  stream.become('\n', line => got.push(line))
  t.equal((sink as StreamLink).reading.isSucceeded, true)
  const read = stream.read()
  sink.received(Buffer.from('one\ntwo\n'))
  t.equal(await read, 'one')
  clock.advance(0)
  t.same(got, ['two'])
})

/**
 * A connection read its first line, connected elsewhere, and assigned on_read then. What had come
 * meanwhile was never delivered: only the turn after a read looked for an on_read.
 */
t.test('what was left goes to what gets the reads later', async t => {
  for (const how of ['on_read', 'become'] as const) {
    const { stream, sink, clock } = await plain(t)
    const first = stream.read()
    sink.received(Buffer.from('one\ntwo\n'))
    t.equal(await first, 'one')
    clock.advance(1000)
    const got: unknown[] = []
    if (how === 'on_read') stream.on_read = (line: unknown) => got.push(line)
    else stream.become('\n', line => got.push(line))
    clock.advance(0)
    t.same(got, ['two'], how)
  }
})

t.test('a count of 0 is an empty read', async t => {
  const { stream, sink } = await plain(t)
  const reads = [stream.read(0), stream.read(0), stream.read()]
  sink.received(Buffer.from('one\n'))
  t.same(await Promise.all(reads), ['', '', 'one'])
})

t.test('a hook that awaits is served, and the rest waits for it', async t => {
  const { stream, sink, clock } = await kit(t, Lines)
  const got: string[] = []
  stream.on_read = async line => {
    got.push(line, await stream.read(), await stream.read('|'))
    stream.reads.push('done')
  }
  sink.received(Buffer.from('a\nb\nc|d\n'))
  await turn()
  clock.advance(0)
  t.same(got, ['a', 'b', 'c'], 'the next read is for the hook again')
  t.same(stream.reads, ['done'])
})

t.test('several at once, in order', async t => {
  const { stream, sink } = await kit(t, Lines)
  const reads = [stream.read(), stream.read(3), stream.read()]
  sink.received(Buffer.from('a\nxyzb\n'))
  t.same(await Promise.all(reads), ['a', 'xyz', 'b'])
})

t.test('a timeout and a signal give it up, and nothing is lost', async t => {
  const { stream, sink, clock } = await plain(t)
  const late = stream.read('\n', { timeout: 5 })
  const abort = new AbortController()
  const aborted = stream.read('\n', { signal: abort.signal })
  const next = stream.read()
  sink.received(Buffer.from('on'))
  clock.advance(5)
  abort.abort(new Error('enough'))
  t.equal(await fate(late), 'rejected ERR_TIMEOUT')
  await t.rejects(aborted, { code: 'ERR_ABORTED', cause: { message: 'enough' } })
  t.equal(await fate(stream.read(1, { signal: abort.signal })), 'rejected ERR_ABORTED')
  sink.received(Buffer.from('e\n'))
  t.equal(await next, 'one')
  const { signal } = new AbortController()
  const quick = stream.read('\n', { timeout: 5, signal })
  sink.received(Buffer.from('two\n'))
  t.equal(await quick, 'two')
  clock.advance(10)
  t.equal(clock.pending, 0)
})

t.test('a read that goes wrong is no error of the stream', async t => {
  const { stream, sink, news } = await plain(t, { buffer_size: 4 })
  const long = stream.read()
  const broken = stream.read({
    cut() {
      throw new Error('broken')
    },
  })
  const coded = stream.read({
    cut() {
      throw Object.assign(new Error('broken'), { code: 'EBROKEN' })
    },
  })
  const rest = stream.read(6)
  sink.received(Buffer.from('longer'))
  await t.rejects(long, { code: 'ERR_OVERFLOW', buffer: 'receive', limit: 4 })
  await t.rejects(broken, { code: 'ERR_INVALID_DELIMITER', message: 'broken' })
  await t.rejects(coded, { code: 'EBROKEN' })
  t.equal(await rest, 'longer')
  t.same(news(), [])
})

t.test('closing rejects with the reason', async t => {
  const closed = await plain(t)
  const reads = [closed.stream.read(), closed.stream.read()]
  closed.stream.close()
  await Promise.all(
    reads.map(read =>
      t.rejects(read, { code: 'ERR_CLOSED', reason: 'local', name: 'ClosedError' }),
    ),
  )
  await t.rejects(closed.stream.read(), { code: 'ERR_CLOSED', reason: 'local' }, 'while it closes')
  closed.sink.closed()
  await t.rejects(closed.stream.read(), { code: 'ERR_CLOSED', reason: 'local' }, 'afterwards')
  const failed = await plain(t)
  const read = failed.stream.read()
  failed.sink.failed(error('ECONNRESET', 'read'))
  await t.rejects(read, { code: 'ERR_CLOSED', reason: 'error' })
  const inHook = await plain(t)
  let late: Promise<unknown> | undefined
  inHook.stream.on_error = () => void (late = inHook.stream.read())
  inHook.sink.failed(error('ECONNRESET', 'read'))
  await t.rejects(late!, { code: 'ERR_CLOSED', reason: 'error' })
})

t.test('before it is open: as `opened`', async t => {
  const { stream, sink, logged } = await plain(t, {}, false)
  const read = stream.read()
  const { opened } = stream
  sink.failed(error('ECONNREFUSED', 'connect'))
  sink.closed()
  t.same([await fate(read), await fate(opened)], Array(2).fill('rejected ECONNREFUSED'))
  t.same(logged, [])
  const other = await plain(t, {}, false)
  const banner = other.stream.read()
  other.sink.opened()
  other.sink.received(Buffer.from('hi\n'))
  t.equal(await banner, 'hi')
})

t.test('the peer ends: what is complete is read, then reads reject', async t => {
  const { stream, sink, clock, news } = await plain(t)
  const first = stream.read()
  sink.received(Buffer.from('one\ntwo\nthr'))
  sink.ended()
  t.equal(await first, 'one')
  clock.advance(0)
  t.same(news(), [])
  t.equal(await stream.read(), 'two')
  await t.rejects(stream.read(), { code: 'ERR_CLOSED', reason: 'remote' })
  clock.advance(0)
  t.same(news(), ['read_end'])
  sink.closed()
  t.same(news(), ['close remote'])
})

t.test('the peer ends, and nothing is left: on_read_end', async t => {
  const { stream, sink, clock, news } = await plain(t)
  const first = stream.read()
  sink.received(Buffer.from('one\n'))
  t.equal(await first, 'one')
  sink.ended()
  clock.advance(0)
  t.same(news(), ['read_end'])
})

t.test('the peer ends, and nobody reads the rest: for end_timeout at the longest', async t => {
  const { stream, sink, clock, news } = await plain(t, { end_timeout: 100 })
  const first = stream.read()
  sink.received(Buffer.from('one\ntwo\nthree\n'))
  sink.ended()
  t.equal(await first, 'one')
  clock.advance(99)
  t.equal(await stream.read(), 'two')
  clock.advance(99)
  t.same(news(), [])
  clock.advance(101)
  t.same(news(), ['read_end'])
  const patient = await plain(t, { end_timeout: Infinity })
  const read = patient.stream.read()
  patient.sink.received(Buffer.from('one\ntwo\n'))
  patient.sink.ended()
  t.equal(await read, 'one')
  patient.clock.advance(1e6)
  t.same([patient.news(), patient.clock.pending], [[], 0])
})

t.test('a hook that rejects because the stream has ended has not failed', async t => {
  const { stream, sink, clock, logged, news } = await kit(t, Lines)
  stream.on_read = () => stream.read()
  sink.received(Buffer.from('one\n'))
  sink.ended()
  await turn()
  clock.advance(0)
  t.same([news(), logged], [['read_end'], []])
  const other = await kit(t, Lines)
  other.stream.on_read = () => stream.read()
  other.sink.received(Buffer.from('one\n'))
  await turn()
  t.match(other.news(), ['error ERR_CLOSED'], 'of another stream: it has')
})

t.test('the promise of on_connect holds reads, but not those that it asks for', async t => {
  const { stream, sink, clock } = await kit(t, Lines, {}, false)
  const login = withResolvers()
  stream.on_connect = () => login.promise
  sink.opened()
  const { pulls, promises } = (sink as StreamLink).reading
  t.equal(promises, pulls.introduction)
  sink.received(Buffer.from('one\n'))
  t.same(stream.reads, [], 'it waits for on_connect')
  pulls.asked(1)
  clock.advance(0)
  t.same(stream.reads, ['one'], 'it may be the answer')
  pulls.asked(-1)
  sink.received(Buffer.from('two\n'))
  t.same(stream.reads, ['one'])
  login.resolve()
  await turn()
  t.same(stream.reads, ['one', 'two'])
  stream.close()
  sink.closed()
  t.equal(pulls.introduction, undefined)
})

t.test('the next life begins as the first', async t => {
  const { stream, sink } = await kit(t, Lines)
  const { reading } = sink as StreamLink
  const loop = stream[Symbol.asyncIterator]()
  const next = loop.next()
  sink.received(Buffer.from('on'))
  stream.close()
  t.same(await next, { value: undefined, done: true })
  sink.closed()
  t.equal(reading.path?.isHeld ?? false, false)
  stream.connect(1)
  await turn()
  const again = (reading as unknown as { path: undefined }).path
  t.equal(again, undefined)
  t.equal(new ClosedError('x').reason, 'local')
})

t.test('of a Struct: its only field, or an array', async t => {
  const { stream, sink } = await kit(t, Lines, { encoding: null })
  const reads = [stream.read(new Struct('!B')), stream.read(new Struct('!BB'))]
  sink.received(Buffer.from([1, 2, 3]))
  t.same(await Promise.all(reads), [1, [2, 3]])
})
