/** The way in of a stream: reads, what holds them, the end of the peer. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { turn } from '../../kit.ts'
import { kit, withResolvers, type PromiseWithResolvers } from '../link-kit.ts'

t.test('reads', async t => {
  const { stream, sink, transport, clock, news } = await kit(t, Client, { read_delimiter: '\n' })
  sink.received(Buffer.from('one\ntwo\nthr'))
  sink.received(Buffer.from('ee\nfo'))
  t.same(news(), ['read one', 'read two', 'read three'])
  stream.read_delimiter = 'o'
  t.same(news(), [], 'assigned outside of a hook: in the next turn')
  clock.advance(0)
  t.same(news(), ['read f'])
  stream.on_read = (data: string) => {
    if (data === 'switch') stream.read_delimiter = 2
    transport.calls.push(data)
  }
  stream.read_delimiter = '\n'
  clock.advance(0)
  sink.received(Buffer.from('switch\nabcde'))
  t.equal(transport.news, 'switch, ab, cd', 'inside of one: with the next byte')
  stream.encoding = null
  stream.regex_search = false
  stream.buffer_size = 1
  clock.advance(0)
  t.equal(transport.news, '')
})

t.test('held reads', async t => {
  const { stream, sink, transport, news } = await kit(t, Client)
  stream.suspend()
  t.equal(transport.news, '', 'the transport is paused when something comes, not before')
  sink.received(Buffer.from('a'))
  t.equal(transport.news, 'pause')
  sink.received(Buffer.from('b'))
  t.same([transport.news, news()], ['', []])
  stream.resume()
  t.same([transport.news, news()], ['resume', ['read a', 'read b']])
})

t.test('the promise of on_connect holds reads', async t => {
  const { stream, sink, news } = await kit(t, Client, {}, false)
  const { promise, resolve }: PromiseWithResolvers = withResolvers()
  stream.on_connect = () => promise
  sink.opened()
  const { reading } = sink as StreamLink
  t.equal(reading.promises, reading.pulls.introduction)
  sink.received(Buffer.from('a'))
  t.same(news(), [])
  resolve()
  await turn()
  t.same(news(), ['read a'])
})

t.test('suspended before it connects', async t => {
  const { stream, sink, transport, news } = await kit(
    t,
    class extends Client {
      constructor(options: object) {
        super(options)
        this.suspend()
      }
    },
  )
  sink.received(Buffer.from('a'))
  t.same([transport.news, news()], ['pause', []])
  stream.resume()
  t.same([transport.news, news()], ['resume', ['read a']])
})

t.test('a hook that returns a promise holds the reads', async t => {
  const { stream, sink, transport, logged } = await kit(t, Client, { read_delimiter: '\n' })
  const waiting: PromiseWithResolvers[] = []
  const reads: string[] = []
  stream.on_read = (line: string) => {
    reads.push(line)
    if (line === 'sync') return
    const one = withResolvers()
    waiting.push(one)
    return one.promise
  }
  sink.received(Buffer.from('a\nsync\nb\nc\n'))
  t.same([reads, transport.news], [['a'], 'pause'])
  waiting[0]!.resolve()
  await turn()
  t.same(reads, ['a', 'sync', 'b'])
  waiting[1]!.reject(new Error('no'))
  stream.on_error = e => void reads.push(e.message)
  await turn()
  t.same(
    [reads, transport.news],
    [['a', 'sync', 'b', 'no', 'c'], ''],
    'rejected: on_error, and the next',
  )
  waiting[2]!.resolve()
  await turn()
  t.equal(transport.news, 'resume')
  stream.on_read = () => 'no promise' as never
  sink.received(Buffer.from('d\ne\n'))
  t.equal(transport.news, '', 'what is no promise holds nothing')

  // Two hooks at once: the last to settle counts.
  const [one, two] = [withResolvers(), withResolvers()]
  stream.on_read = (line: string) => {
    reads.push(line)
    return one.promise
  }
  stream.on_write = () => two.promise
  sink.received(Buffer.from('f\n'))
  stream.write('x', true)
  ;(sink as StreamLink).writing.turn()
  one.resolve()
  await turn()
  sink.received(Buffer.from('g\n'))
  t.equal(reads.at(-1), 'f')
  two.resolve()
  await turn()
  t.equal(reads.at(-1), 'g')
  t.same(logged, [])
})

// A hook's result was asked with result.then(…): an object that only looks like a promise could
// throw in there, and the reads were held for ever, or settle twice, and a later promise no longer
// held them.
t.test('what only looks like a promise', async t => {
  const { stream, sink, logged } = await kit(t, Client, { read_delimiter: '\n' })
  const reads: string[] = []
  const results: Record<string, unknown> = {
    throws: {
      then() {
        throw new Error('then threw')
      },
    },
    twice: {
      then(resolve: () => void) {
        resolve()
        resolve()
      },
    },
    never: { then() {} },
    getter: {
      get then() {
        throw new Error('getter threw')
      },
    },
  }
  stream.on_error = e => void reads.push(e.message)
  stream.on_read = (line: string) => {
    reads.push(line)
    return results[line] as never
  }
  sink.received(Buffer.from('throws\ntwice\ngetter\nnever\nnothing\n'))
  await turn()
  t.same(reads, ['throws', 'then threw', 'twice', 'getter', 'getter threw', 'never'])
  t.same(logged, [])
})

// What a promise of the last opening rejected with went to on_error, whose default closed the next
// connection.
t.test('a promise of an opening that is over', async t => {
  const { stream, sink, logged, transport } = await kit(t, Client)
  const { promise, reject } = withResolvers()
  stream.on_read = () => promise
  sink.received(Buffer.from('a'))
  stream.close()
  sink.closed()
  stream.connect(1)
  reject('too late')
  await turn()
  t.equal(stream.state, 'opening')
  t.match(logged, [/^Client.*: a hook threw "too late": throw an Error instead \(ERR_HOOK\)$/])
  const resolved = withResolvers()
  stream.on_read = () => resolved.promise
  sink.opened()
  t.equal(transport.calls.at(-1), 'destroy', 'the old one')
  resolved.resolve()
  await turn()
})

// It went to on_error if the stream was not opened again: after on_close, which is the last hook.
// Found by npm run fuzz.
t.test('REGRESSION: a promise that rejects after on_close is logged', async t => {
  const { stream, sink, logged, news } = await kit(t, Client)
  const { promise, reject } = withResolvers()
  stream.on_read = () => promise
  sink.received(Buffer.from('a'))
  stream.close()
  sink.closed()
  news()
  reject('too late')
  await turn()
  t.same(news(), [])
  t.match(logged, [/^Client.*: a hook threw "too late"/])
})

// The reads were stopped after on_state had been told, so on_read was called after close(). Found
// by npm run fuzz.
t.test('REGRESSION: resumed in on_state by closing, it does not read any more', async t => {
  for (const isPolite of [false, true]) {
    const { stream, sink, news } = await kit(t, Client)
    stream.suspend()
    sink.received(Buffer.from('a'))
    stream.on_state = () => stream.resume()
    stream.close(isPolite)
    sink.closed()
    t.same(news(), ['close local'])
  }
})

// `async on_close() { await sleep(1000); this.connect(…) }`: its promise held the reads of the
// connection that had just been closed; the next one counted anew, so nobody let go of them, and it
// never read a byte.
t.test('a promise of on_close', async t => {
  const made = await kit(t, Client)
  const { stream, news } = made
  const { promise, resolve } = withResolvers()
  stream.on_close = () => promise as unknown as undefined
  stream.close()
  made.sink.closed()
  news()
  stream.connect(1)
  resolve()
  await turn()
  made.sink.opened()
  made.sink.received(Buffer.from('a'))
  t.same(news(), ['connect', 'read a'])
})

t.test('an overflow of what is received', async t => {
  const { stream, sink, news, clock, logged } = await kit(t, Client, {
    read_delimiter: '\n',
    buffer_size: 3,
  })
  stream.on_error = () => {}
  sink.received(Buffer.from('ab\nabcd'))
  t.same(news(), ['read ab', 'overflow_error ERR_OVERFLOW'])
  stream.buffer_size = 4
  sink.received(Buffer.from('\n'))
  t.same(news(), ['read abcd'])
  clock.advance(0)
  t.same([news(), logged], [[], []])
})

// `on_overflow_error() { this.read_delimiter = /\r?\n/ }` was called for the same line for ever,
// in one turn: one peer could stop the process. Likewise on_read_error, and what an async hook
// assigns before its promise settles.
t.test('a hook that puts the delimiter back, made anew', async t => {
  for (const isAsync of [false, true]) {
    for (const hook of ['on_overflow_error', 'on_read_error'] as const) {
      const made = (): RegExp | { cut(): never } =>
        hook === 'on_overflow_error' ? /\r?\n/ : { cut: () => raise(new Error('oops')) }
      const { stream, sink, clock, news } = await kit(t, Client, {
        read_delimiter: made(),
        buffer_size: 3,
      })
      let calls = 0
      const change = (): void => {
        if (++calls > 10) stream.close()
        stream.read_delimiter = made()
      }
      stream[hook] = isAsync ? () => Promise.resolve().then(change) : change
      sink.received(Buffer.from('abcd'))
      for (let i = 0; i < 20; i++) {
        await turn()
        clock.advance(0)
      }
      t.same([calls, stream.state], [1, 'active'], `${hook}, async: ${isAsync}`)
      stream.read_delimiter = null
      clock.advance(0)
      t.same(news(), ['read abcd'])
    }
  }
})

function raise(error: Error): never {
  throw error
}

// A message that was too long left the reads held ('stuck'). If then another hold ended (a promise
// of the overflow hook, a suspension) after the peer had ended, nobody looked at the end any more:
// no on_read_end, and a connection that stayed half-open for ever.
t.test('the peer ends behind a message that is too long', async t => {
  for (const how of ['at once', 'promise', 'suspend'] as const) {
    const { stream, sink, news } = await kit(t, Client, { read_delimiter: '\n', buffer_size: 3 })
    const { promise, resolve } = withResolvers()
    stream.on_overflow_error = () => (how === 'promise' ? promise : undefined)
    sink.received(Buffer.from('abcd'))
    if (how === 'suspend') stream.suspend()
    sink.ended()
    if (how !== 'at once') t.same(news(), [], how)
    stream.resume()
    resolve()
    await turn()
    t.same(news(), ['read_end'], how)
    t.equal(stream.state, 'closing')
  }
})

t.test('a delimiter that throws', async t => {
  const { stream, sink, news, logged } = await kit(t, Client)
  const broken: unknown[] = [
    new TypeError('cut'),
    Object.create(null),
    Object.assign(new Error('coded'), { code: 'E_MINE' }),
  ]
  const errors: Error[] = []
  stream.on_read_error = e => void errors.push(e)
  for (const thing of broken) {
    stream.read_delimiter = {
      cut() {
        throw thing
      },
    }
    sink.received(Buffer.from('a'))
  }
  t.match(errors, [
    { name: 'ReadError', code: 'ERR_INVALID_DELIMITER', message: 'cut', cause: TypeError },
    // It was shown with String(), which throws for this: the process ended.
    { code: 'ERR_INVALID_DELIMITER', message: 'an object (without prototype)' },
    { code: 'E_MINE' },
  ])
  t.same([news(), logged], [[], []])
})

t.test('the peer ends while reads are held, and in the meantime it closes', async t => {
  const { stream, sink, news } = await kit(t, Client)
  stream.suspend()
  sink.received(Buffer.from('a'))
  sink.ended()
  t.same(news(), [])
  stream.resume()
  t.same(news(), ['read a', 'read_end'])
  const other = await kit(t, Client)
  other.stream.on_read = () => other.stream.close()
  other.stream.suspend()
  other.sink.received(Buffer.from('a'))
  other.sink.ended()
  other.stream.resume()
  t.same(other.news(), [], 'no on_read_end after close()')
  other.sink.closed()
  t.same(other.news(), ['close remote'])
})

t.test('closed in its last read', async t => {
  // Bytes that no reader took are delivered at the end, and the hook may close there too.
  const { stream, sink } = await kit(t, Client)
  const log: unknown[] = []
  stream.on_read = (data: string) => {
    log.push(data)
    stream.close()
  }
  stream.on_read_end = () => void log.push('end')
  sink.received(Buffer.from([0xc3]))
  sink.ended()
  t.same(log, ['\ufffd'])
})

t.test('what a hook throws', async t => {
  const { stream, sink, news, logged } = await kit(t, Client, { read_delimiter: '\n' })
  stream.on_read = () => {
    throw new Error('bad line')
  }
  sink.received(Buffer.from('a\nb\n'))
  t.same(news(), ['error bad line'], 'the default closes, and b is not delivered')
  t.equal(stream.state, 'closing')
  t.match(logged, [/^Client there:2: Error: bad line\n/])
  sink.closed()
  t.equal(await stream.closed, 'error')
})

t.test('in the middle of a connection: what is unread, and another transport', async t => {
  const { stream, sink, transport, news } = await kit(t, Client, { read_delimiter: '\n' })
  const { reading } = sink as StreamLink
  t.equal(reading.unread(), 0)
  sink.received(Buffer.from('one\ntw'))
  t.equal(reading.unread(), 2)
  reading.serve()
  reading.hold('tls')
  t.equal(reading.isHeld, true)
  sink.received(Buffer.from('o\n'))
  t.same([news(), transport.news], [['read one'], 'pause'])
  reading.release('tls')
  t.same([news(), transport.news], [['read two'], 'resume'])
  stream.close()
})

t.test('heard out: nothing holds reads any more', async t => {
  const { stream, sink, transport, news } = await kit(t, Client)
  const { reading } = sink as StreamLink
  stream.suspend()
  reading.hold('promise')
  reading.hold('backpressure')
  sink.received(Buffer.from('a'))
  t.same([news(), transport.news], [[], 'pause'])
  reading.hearOut()
  t.same([news(), transport.news, reading.isHeld], [['read a'], 'resume', false])
})

t.test('the end of the peer waits while reads are held', async t => {
  const { stream, sink, news } = await kit(t, Client)
  const { reading } = sink as StreamLink
  t.equal(reading.isEndAwaited, false)
  t.same([reading.waiting, reading.promises], [0, undefined])
  stream.suspend()
  sink.received(Buffer.from('a'))
  sink.ended()
  t.equal(reading.waiting, 1)
  t.same([reading.isEndAwaited, news()], [true, []])
  stream.resume()
  t.same([reading.isEndAwaited, news()], [false, ['read a', 'read_end']])
})

t.test('a count of 0, and another that gets the reads', async t => {
  const { stream, sink, clock, news } = await kit(t, Client, { encoding: 'latin1' })
  stream.read_delimiter = 0
  clock.advance(0)
  t.same(news(), ['read'])
  stream.on_read = (data: string) => {
    if (data === 'x') stream.read_delimiter = 0
    else stream.become(1, data => void (stream.name === data))
  }
  stream.read_delimiter = 1
  clock.advance(0)
  sink.received(Buffer.from('xabc'))
  t.same(news(), [])
  const closed = new Client()
  closed.read_delimiter = 0
  t.equal(closed.read_delimiter, 0, 'nothing is read before it connects')
})

t.test('what the program awaits', async t => {
  const { stream, sink } = await kit(t, Client)
  const { reading } = sink as StreamLink
  t.equal(reading.pulls, reading.pulls)
  t.equal(reading.pulls.life, reading.life)
  t.equal(reading.values.encoding, 'utf8')
  t.equal(reading.path, undefined)
  reading.greeted(5)
  t.equal(reading.pulls.greeting, undefined)
  const greeting = Promise.resolve()
  reading.greeted(greeting)
  t.equal(reading.pulls.greeting, greeting)
  const read = stream.read()
  sink.received(Buffer.from('a'))
  t.equal(await read, 'a')
  t.ok(reading.path)
  stream.become(1)
  sink.ended()
  stream.close()
  sink.closed()
  t.equal(reading.path, undefined)
  stream.connect(1)
  t.equal(reading.pulls.greeting, undefined)
})

t.test('bytes that are given back', async t => {
  const { sink, clock, news } = await kit(t, Client, { read_delimiter: '\n' })
  const { reading } = sink as StreamLink
  reading.giveBack(Buffer.from('a\n'))
  t.same(news(), [])
  clock.advance(0)
  t.same(news(), ['read a'])
})
