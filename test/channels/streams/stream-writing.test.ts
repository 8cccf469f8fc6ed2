/** The way out of a stream: its queue, its bounds, and when it is sent. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { STREAM_DEFAULTS } from '../../../src/channels/streams/stream-settings.ts'
import {
  NO_WRITES,
  StreamWriting,
  type WritingOwner,
} from '../../../src/channels/streams/stream-writing.ts'
import { length_prefix } from '../../../src/core/length/length-prefix.ts'
import type { SendItem } from '../../../src/core/writing/send-item.ts'
import type { Data } from '../../../src/types.ts'
import { turn } from '../../kit.ts'
import { Bare } from '../bare.ts'
import { error, FakeTransport, kit, type Kit } from '../link-kit.ts'

type Made = Kit<Client> & { link: StreamLink }

t.test('writes', async t => {
  const { stream, transport, clock, news } = await kit(t, Client)
  t.equal(stream.write('a'), true)
  t.equal(stream.write('b'), true)
  t.equal(stream.bytes_queued, 2)
  t.equal(transport.news, '')
  clock.advance(0)
  t.same([transport.news, news()], ['write ab', ['write']], 'once a turn')
  t.equal(stream.write('c', true), true)
  t.same([transport.news, news()], ['write c', []], 'no hook inside a call')
  stream.write('d')
  stream.flush()
  t.equal(transport.news, 'write d')
  clock.advance(0)
  t.same(news(), ['write'])
  stream.encoding = null
  stream.write('é', true)
  t.equal(transport.news, 'write é')
  stream.encoding = 'latin1'
  stream.write(Buffer.from('e'))
  stream.write('f')
  clock.advance(0)
  t.equal(transport.news, 'write ef')
})

t.test('a queue that is full', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {
    send_high_water: 10,
    send_buffer_size: 15,
  })
  transport.room = 0
  t.equal(stream.write('123456789'), true, 'below the mark')
  t.equal(stream.write('0'), false, 'at it')
  clock.advance(0)
  t.same([transport.news, news()], ['write 1234567890', []])
  t.equal(stream.write('12345'), false)
  t.equal(stream.bytes_queued, 15)
  t.equal(stream.write('6'), false, 'one more than there should be')
  t.same(news(), [])
  const errors: Error[] = []
  stream.on_overflow_error = e => {
    errors.push(e)
    stream.write('last word')
    stream.end()
  }
  t.equal(stream.write('7'), false)
  t.match(errors, [
    {
      name: 'OverflowError',
      code: 'ERR_OVERFLOW',
      buffer: 'send',
      limit: 15,
      message: /^16 bytes wait to be sent, more than send_buffer_size \(15\)/,
    },
  ])
  transport.room = Infinity
  transport.bytes_queued = 0
  sink.drained()
  t.equal(transport.news, 'resume, write 123456last word, end')
  t.same(news(), ['write'])
  sink.closed()
  t.equal(await stream.closed, 'overflow')
})

t.test('a bound below the mark', async t => {
  const { stream, transport, news } = await kit(t, Client, {
    send_high_water: 100,
    send_buffer_size: 5,
  })
  transport.room = 0
  t.equal(stream.write('123456'), true)
  t.equal(stream.write('7'), false)
  t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
})

t.test('packed values are bounded alike', async t => {
  const { stream, transport, news } = await kit(t, Client, {
    send_high_water: 8,
    send_buffer_size: 10,
    read_delimiter: length_prefix({ size: 1 }),
  })
  transport.room = 0
  t.same(
    [stream.write_packed('abc'), stream.write_packed('abc'), stream.write_packed('abc')],
    [true, false, false],
  )
  t.equal(stream.bytes_queued, 12)
  t.same(news(), [])
  t.equal(stream.write_packed('abc'), false)
  t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
})

// Small writes of every kind behind each other take the short way; the settings that bound them
// hold all the same.
t.test('small writes go out in their order, and up to the mark', async t => {
  const { stream, transport } = await kit(t, Client, {
    send_high_water: 16,
    read_delimiter: length_prefix({ size: 1 }),
  })
  const written = [
    stream.write(Buffer.from('ab')),
    stream.write('\r\n'),
    stream.write_packed('cd'),
    stream.write(new Uint8Array([101])),
    stream.write_packed('fg'),
  ]
  t.same([written, stream.bytes_queued], [[true, true, true, true, true], 11])
  t.same([stream.write('hijk'), stream.write('l'), stream.bytes_queued], [true, false, 16])
  stream.send_high_water = 18
  t.same([stream.write(Buffer.from('m')), stream.write(Buffer.from('n'))], [true, false])
  stream.flush()
  t.equal(transport.news, 'write ab\r\n\x02cde\x02fghijklmn')
})

// The hook's own write was one too many as well, so the hook was called for it, and wrote …: until
// the stack was used up.
t.test('an overflow hook that writes is not called for that', async t => {
  const { stream, transport } = await kit(t, Client, { send_high_water: 1, send_buffer_size: 1 })
  transport.room = 0
  let count = 0
  stream.on_overflow_error = () => {
    count++
    stream.write('x')
  }
  stream.write('123')
  for (let n = 1; n < 4; n++) {
    stream.write('4')
    t.equal(count, n)
  }
})

t.test('backpressure', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {
    send_high_water: 4,
    backpressure: true,
  })
  transport.room = 0
  stream.on_read = (data: string) => void stream.write(data)
  sink.received(Buffer.from('abcd'))
  t.equal(transport.news, 'pause, write abcd', 'who waits for the queue need not wait for the turn')
  sink.received(Buffer.from('e'))
  t.equal(transport.news, '')
  transport.bytes_queued = 0
  transport.room = Infinity
  sink.drained()
  t.equal(transport.news, 'resume')
  clock.advance(0)
  t.equal(transport.news, 'write e')
  t.same(news(), ['write', 'write'])

  stream.send_high_water = 100
  transport.room = 0
  stream.write('a'.repeat(99))
  sink.received(Buffer.from('b'))
  t.equal(transport.news, 'pause, write 100 bytes')
})

// Assigned while reads waited for the queue, it took effect only when the queue had emptied: with a
// peer that reads nothing, never.
t.test('backpressure turned off while it holds', async t => {
  const { stream, transport, sink, clock } = await kit(t, Client, {
    send_high_water: 1,
    backpressure: true,
  })
  transport.room = 0
  const reads: string[] = []
  stream.on_read = (data: string) => void reads.push(data)
  stream.write('a')
  sink.received(Buffer.from('b'))
  stream.backpressure = true
  clock.advance(0)
  t.same(reads, [])
  stream.backpressure = false
  t.same(reads, [], 'no hook inside an assignment')
  clock.advance(0)
  t.same(reads, ['b'])
  t.equal(transport.calls.at(-1), 'resume')
})

t.test('an item in the queue', async t => {
  const { stream, transport, clock, sink, news } = await kit(t, Client)
  const link = sink as StreamLink
  const dropped: string[] = []
  const item = (name: string, send: () => 'sent') => ({
    size: 0,
    isLong: true,
    send,
    drop: () => void dropped.push(name),
  })
  t.equal(
    link.writable().writeItem(
      item('fine', () => 'sent'),
      false,
    ),
    false,
    'long: it has to be waited for',
  )
  t.equal(link.writing.longItems, 1)
  clock.advance(0)
  t.same(news(), ['write'])
  t.equal(
    link.writable().writeItem(
      item('flushed', () => 'sent'),
      true,
    ),
    true,
  )
  const errors: Error[] = []
  stream.on_write_error = e => void errors.push(e)
  for (const thing of [
    Object.assign(new Error('gone'), { code: 'ENOENT' }),
    new Error('plain'),
    undefined,
  ]) {
    link.writable().writeItem(
      item('broken', () => {
        throw thing
      }),
      true,
    )
  }
  t.match(errors, [
    { name: 'WriteError', code: 'ENOENT', message: 'gone' },
    { code: 'ERR_WRITE', message: 'plain' },
    { code: 'ERR_WRITE', message: 'undefined' },
  ])
  t.same(dropped, ['broken', 'broken', 'broken'])
  stream.send_high_water = 1
  stream.send_buffer_size = 1
  t.equal(
    link.writable().writeItem(
      item('other mark', () => 'sent'),
      true,
    ),
    true,
  )
  t.equal(transport.news, '')
})

t.test('writes more in on_write while it ends', async t => {
  const { stream, transport, clock } = await kit(t, Client)
  stream.on_write = () => {
    transport.calls.push(`more: ${stream.write('more')}`)
  }
  stream.write('x')
  stream.end()
  clock.advance(0)
  t.equal(transport.news, 'resume, write x, more: false, end')
})

// A small write after another one takes a short way, which did not look at the state: in
// on_state('closing') it said true, and the bytes were sent or dropped depending on what had been
// written before.
t.test('writes nothing when told that it is closing', async t => {
  for (const call of ['end', 'close'] as const) {
    const { stream, transport, clock } = await kit(t, Client)
    stream.on_state = state => {
      if (state === 'closing') transport.calls.push(`told: ${stream.write('late')}`)
    }
    stream.write('a')
    stream.write('b')
    stream[call]()
    clock.advance(0)
    t.equal(
      transport.news,
      call === 'end' ? 'told: false, resume, write ab, end' : 'told: false, destroy',
      call,
    )
  }
})

t.test('it is told in the middle of its own writing, and closes', async t => {
  for (const write of [
    (stream: Client) => stream.write('x'.repeat(200_000)),
    (stream: Client) => stream.write('x'.repeat(200_000), true),
    (stream: Client) => {
      stream.write('x'.repeat(50_000), true)
      stream.write(Buffer.alloc(20_000))
      return stream.write(Buffer.alloc(50_000))
    },
  ]) {
    const { stream, transport, sink, engine, news, logged } = await kit(t, Client, {
      send_high_water: Infinity,
    })
    engine.buffer_limit = 100_000
    transport.room = 0
    t.equal(write(stream), false)
    t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
    t.equal(stream.state, 'closing')
    sink.closed()
    t.same([news(), logged.length], [['close overflow'], 1])
  }
})

t.test(
  'with nobody else to wait for, what is read is answered at once; with somebody, in the turn',
  async t => {
    class Echo extends Client {
      declare encoding: 'utf8'
      override read_delimiter = '\n'
      override on_read(line: string): void {
        this.write(`${line};`)
      }
    }
    const made = await kit(t, Echo)
    const { stream, transport, sink, engine, clock, news } = made
    sink.received(Buffer.from('a\nb\n'))
    t.equal(transport.news, '', 'nobody knows yet who else will have something to send')
    clock.advance(0)
    t.equal(transport.news, 'write a;b;')
    sink.received(Buffer.from('c\nd\n'))
    t.equal(transport.news, 'write c;d;', 'one write, before the turn')
    t.same(news(), ['read a', 'read b', 'write', 'read c', 'read d', 'write'])
    stream.write('e')
    t.equal(transport.news, '', 'what is written elsewhere waits for what may come behind it')
    clock.advance(0)
    t.equal(transport.news, 'write e')
    const other = new Echo({ engine, encoding: 'utf8' }).connect(1)
    made.sink.opened()
    clock.advance(0)
    await turn()
    t.equal(made.transport.news, 'resume')
    for (let round = 0; round < 2; round++) {
      made.sink.received(Buffer.from('f\n'))
      sink.received(Buffer.from('g\n'))
      t.same(
        [transport.news, made.transport.news],
        ['', ''],
        'two at a time: neither goes before the other has read',
      )
      clock.advance(0)
      t.same([transport.news, made.transport.news], ['write g;', 'write f;'])
    }
    stream.close()
    other.close()
  },
)

/** A file that has no bytes yet. */
const STARVED: SendItem = { size: 0, isLong: false, send: () => 'starved', drop: () => {} }

/** Text, or bytes: what was granted is another thing for each. */
const KINDS: readonly [kind: string, data: Data][] = [
  ['text', 'x'],
  ['bytes', Buffer.from('x')],
]

/**
 * Everything that can change what a check of `write` looks at: the state of the stream, its
 * settings, the queue, the transport.
 */
const BREAKERS: Readonly<Record<string, (made: Made) => unknown>> = {
  // The settings.
  encoding: ({ stream }) => (stream.encoding = 'latin1'),
  send_high_water: ({ stream }) => (stream.send_high_water = 2),
  send_buffer_size: ({ stream }) => (stream.send_buffer_size = 2),
  backpressure: ({ stream }) => (stream.backpressure = true),
  write_timeout: ({ stream }) => (stream.write_timeout = 1000),
  // The queue.
  'the turn': ({ clock }) => clock.advance(0),
  'flush()': ({ stream }) => stream.flush(),
  'a write that is flushed': ({ stream }) => stream.write('y', true),
  'a transport that is full': ({ stream, transport }) => {
    transport.room = 0
    stream.flush()
  },
  'a transport that was full': ({ stream, transport, sink }) => {
    transport.room = 0
    stream.flush()
    transport.bytes_queued = 0
    sink.drained()
  },
  'a file': ({ link }) => link.writable().writeItem(STARVED, false),
  'a file without bytes': ({ link }) => link.writable().writeItem(STARVED, true),
  'large bytes': ({ stream }) => stream.write(Buffer.alloc(5000)),
  'the mark, reached': ({ stream }) => stream.write('y'.repeat(70_000)),
  'an overflow of send_buffer_size': ({ stream, transport }) => {
    transport.room = 0
    stream.send_buffer_size = 1
    stream.write('yy')
    stream.write('yy')
  },
  'TLS that starts': ({ sink }) =>
    (sink as StreamLink).startTls({ context: { secure: inner => inner }, host: '' }),
  // The state.
  'close()': ({ stream }) => stream.close(),
  'end()': ({ stream }) => stream.end(),
  'a hook that throws': ({ stream, sink }) => {
    stream.on_read = () => {
      throw new Error('a bug')
    }
    sink.received(Buffer.from('y'))
  },
  'the end of the peer': ({ sink }) => sink.ended(),
  'a failure': ({ sink }) => sink.failed(error('ECONNRESET', 'read')),
  'a transport that is gone': ({ sink }) => sink.closed(),
  'an overflow of what is received': ({ stream, sink, clock }) => {
    stream.read_delimiter = '\n'
    stream.buffer_size = 1
    sink.received(Buffer.from('yy'))
    clock.advance(0)
  },
  'a timeout': ({ stream, clock }) => {
    stream.idle_timeout = 5
    clock.advance(10)
  },
  'the limit of the engine': ({ sink }) => (sink as StreamLink).crowded(5),
  'the engine, which stops': ({ engine }) => void engine.stop(),
}

t.test(
  'a write skips the checks only while nothing that a check looks at can have changed',
  async t => {
    for (const [kind, data] of KINDS) {
      const granted = async (): Promise<Made> => {
        const made = await kit(t, Client)
        const link = made.sink as StreamLink
        t.equal(link.writing.add(data), false, `${kind}: the first write is checked`)
        t.equal(made.stream.write(data), true)
        // The bytes of one write are not copied, so there is no memory to add to.
        if (kind === 'bytes') t.equal(made.stream.write(data), true)
        t.equal(link.writing.add(data), true, `${kind}: the next is not`)
        return Object.assign(made, { link })
      }
      const harmless = await granted()
      harmless.stream.read_delimiter = '\n'
      harmless.sink.received(Buffer.from('y'))
      t.equal(harmless.link.writing.add(data), true, `${kind}: reading does not matter`)
      for (const [what, breakIt] of Object.entries(BREAKERS)) {
        const made = await granted()
        breakIt(made)
        t.equal(made.link.writing.add(data), false, `${kind}: ${what}`)
        made.link.writing.drop()
        made.link.writing.rest()
        await turn()
      }
    }
  },
)

t.test('what is written in the other kind, or counted, is checked', async t => {
  const { stream, sink } = await kit(t, Client)
  const link = sink as StreamLink
  stream.write('x')
  t.equal(link.writing.add(Buffer.from('y')), false, 'bytes after text')
  t.equal(stream.write(Buffer.from('y')), true)
  t.equal(link.writing.add('long text'), false, 'text after bytes')
  stream.flush()
  stream.write('x')
  t.equal(stream.bytes_queued, 1)
  t.equal(link.writing.add('x'), false, 'the size of the text is another one now')
})

t.test('the transport is another one: what waited goes out through it', async t => {
  const { stream, sink, transport } = await kit(t, Client)
  const writing = (sink as StreamLink).writable()
  writing.writeItem(STARVED, false)
  stream.write('x', true)
  t.equal(transport.news, '')
  const secure = new FakeTransport()
  writing.drop()
  stream.write('y')
  writing.serve(secure)
  t.equal(secure.news, 'write y')
})

/** A stream as far as it is needed to write. */
class Owner implements WritingOwner {
  readonly life = new Bare().open()[LIFE]
  readonly values = STREAM_DEFAULTS
  readonly transport = new FakeTransport()
  readonly reading = { hold: () => {} }
  writing = NO_WRITES
  readonly log: string[] = []

  turn(): void {
    this.writing.turn()
  }
  weight = 0
  crowded(): void {}
  blocked(): void {}
  emptied(): void {
    this.log.push('emptied')
  }
}

t.test('one works for one stream after the other', async t => {
  const [a, b] = [new Owner(), new Owner()]
  const writing = StreamWriting.borrow(a)
  t.equal(a.writing, writing)
  writing.write('one', false)
  writing.rest()
  t.equal(a.writing, writing, 'not before it is empty')
  a.turn()
  t.equal(a.writing, NO_WRITES)
  t.equal(StreamWriting.borrow(b), writing)
  b.writing.write('two', false)
  b.turn()
  t.same([a.log, a.transport.news], [['emptied'], 'write one'])
  t.same([b.log, b.transport.news], [['emptied'], 'write two'])
  const many = Array.from({ length: 1200 }, () => StreamWriting.borrow(new Owner()))
  for (const each of many) each.rest()
  const kept = new Set(many.map(() => StreamWriting.borrow(new Owner())))
  t.equal(many.filter(each => kept.has(each)).length, 1024, 'no more than these are kept')
})

t.test('NO_WRITES is empty, and takes nothing', async t => {
  NO_WRITES.flush()
  NO_WRITES.turn()
  NO_WRITES.rest()
  NO_WRITES.drained()
  NO_WRITES.revoke()
  NO_WRITES.drop()
  t.same(
    [NO_WRITES.add(''), NO_WRITES.add('a'), NO_WRITES.size, NO_WRITES.least, NO_WRITES.isEmpty],
    [false, false, 0, 0, true],
  )
  t.same([NO_WRITES.isFull, NO_WRITES.isBlocked], [false, false])
})

t.test('what is written while it connects waits', async t => {
  const { stream, sink, transport, clock, news } = await kit(t, Client, {}, false)
  t.equal(stream.write('early'), true)
  stream.write('', true)
  clock.advance(0)
  t.same([transport.news, news()], ['', []])
  sink.opened()
  t.same([transport.news, news()], ['resume', ['connect']])
  clock.advance(0)
  t.same([transport.news, news()], ['write early', ['write']])
})
