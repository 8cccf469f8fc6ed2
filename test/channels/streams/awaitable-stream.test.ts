/** What a program awaits of a stream: read(), for await, ready. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { Read } from '../../../src/channels/streams/awaitable-stream.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { length_prefix } from '../../../src/core/length/length-prefix.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import { Engine } from '../../../src/engine.ts'
import { fate, thrown, turn } from '../../kit.ts'
import { error, kit, withResolvers } from '../link-kit.ts'

class Lines extends Client {
  override read_delimiter: any = '\n'
  reads: string[] = []
  override on_read(line: string): any {
    this.reads.push(line)
  }
}

t.test('misuse is thrown', async t => {
  const { stream, sink } = await kit(t, Client)
  for (const call of [
    () => stream.read('\n', 5 as never),
    () => stream.read('\n', { timout: 5 } as never),
    () => stream.read('\n', { timeout: 0 }),
    () => stream.read('\n', { signal: {} as never }),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  for (const delimiter of ['', -1, {}, true])
    t.equal(
      thrown(() => stream.read(delimiter as never)),
      'ERR_INVALID_DELIMITER',
    )
  const closed = new Client({ engine: new Engine() })
  t.throws(() => closed.read(), {
    code: 'ERR_INVALID_STATE',
    message: /^read\(\): the stream is not connected/,
  })
  await t.rejects(closed[Symbol.asyncIterator]().next(), { code: 'ERR_INVALID_STATE' })
  ;(sink as StreamLink).protocol = { over: () => {} } as never
  t.throws(() => stream.read(), { message: /the protocol of this stream/ })
  t.throws(() => stream.half_close(), { message: /the protocol of this stream/ })
})

t.test('a read is what on_read would get', async t => {
  const { stream, sink } = await kit(t, Client, { encoding: null })
  const two: Promise<[number, number]> = stream.read(new Struct('!BB'))
  const one: Promise<number> = stream.read(new Struct('!B'))
  const payload: Promise<Buffer> = stream.read(length_prefix({ size: 1 }))
  const any: Promise<Read<string>> = stream.read('\n')
  const own = stream.read()
  sink.received(Buffer.from('\x01\x02\x03\x02hilast\nrest'))
  t.same(
    [await two, await one, await payload, await any, await own],
    [[1, 2], 3, Buffer.from('hi'), Buffer.from('last'), Buffer.from('rest')],
  )
})

t.test('for await', async t => {
  const { stream, sink, clock, news } = await kit(t, Lines)
  const got: string[] = []
  const first = (async () => {
    for await (const line of stream) {
      got.push(line)
      await turn()
      if (line === 'two') break
    }
  })()
  sink.received(Buffer.from('one\ntwo\nthree\nfour\n'))
  for (let turns = 0; turns < 9; turns++) {
    clock.advance(0)
    await turn()
  }
  await first
  t.same([got, stream.state], [['one', 'two'], 'active'])
  t.same(stream.reads, ['three', 'four'], 'when the loop is over, on_read gets them')
  const second = (async () => {
    for await (const line of stream) got.push(line)
  })()
  sink.received(Buffer.from('five\n'))
  sink.ended()
  await second
  clock.advance(0)
  t.same(got, ['one', 'two', 'five'])
  t.same(news().slice(-1), ['read_end'])
})

t.test('two calls of next() at once, and after the end', async t => {
  const { stream, sink } = await kit(t, Lines)
  const loop = stream[Symbol.asyncIterator]()
  t.equal(loop[Symbol.asyncIterator](), loop)
  const both = [loop.next(), loop.next()]
  sink.received(Buffer.from('one\ntwo\n'))
  t.same(await Promise.all(both), [
    { value: 'one', done: false },
    { value: 'two', done: false },
  ])
  t.same(await loop.return!(), { value: undefined, done: true })
  t.same(await loop.next(), { value: undefined, done: true })
  t.same(await stream[Symbol.asyncIterator]().return!(), { value: undefined, done: true })
})

t.test('a loop throws what has gone wrong', async t => {
  const { stream, sink } = await kit(t, Lines)
  const loop = stream[Symbol.asyncIterator]()
  const next = loop.next()
  sink.failed(error('ECONNRESET', 'read'))
  await t.rejects(next, { code: 'ERR_CLOSED', reason: 'error' })
  const long = await kit(t, Lines, { buffer_size: 2 })
  const other = long.stream[Symbol.asyncIterator]().next()
  long.sink.received(Buffer.from('long'))
  await t.rejects(other, { code: 'ERR_OVERFLOW' })
})

t.test('ready: when what on_connect has begun is done', async t => {
  const plain = await kit(t, Client)
  t.equal(await plain.stream.ready, plain.stream)
  const login = withResolvers()
  class Login extends Client {
    override on_connect() {
      return login.promise
    }
  }
  const { stream, sink } = await kit(t, Login, {}, false)
  const { ready } = stream
  sink.opened()
  t.equal(await fate(stream.opened), stream)
  t.equal(await fate(ready), 'open')
  login.resolve()
  t.equal(await ready, stream)
  stream.close()
  sink.closed()
  t.equal(await stream.ready, stream, 'that of the last opening')
})

t.test('ready rejects', async t => {
  const refused = await kit(t, Client, {}, false)
  const { ready } = refused.stream
  refused.sink.failed(error('ECONNREFUSED', 'connect'))
  refused.sink.closed()
  t.equal(await fate(ready), 'rejected ECONNREFUSED')
  t.same(refused.logged, [], 'somebody looks at it')
  for (const fail of [
    () => {
      throw new Error('no')
    },
    () => Promise.reject(new Error('no')),
  ]) {
    class Failing extends Client {
      override on_connect() {
        return fail()
      }
      override on_error() {}
    }
    const { stream, sink } = await kit(t, Failing, {}, false)
    const { ready } = stream
    sink.opened()
    t.equal(await fate(ready), 'rejected no')
  }
  class Slow extends Client {
    override on_connect() {
      return new Promise<void>(() => {})
    }
  }
  const slow = await kit(t, Slow, {}, false)
  const waiting = slow.stream.ready
  slow.sink.opened()
  await turn()
  slow.stream.close()
  slow.sink.closed()
  await t.rejects(waiting, { code: 'ERR_CLOSED', reason: 'local', message: /before on_connect/ })
})
