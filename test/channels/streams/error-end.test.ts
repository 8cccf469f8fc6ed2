/** How a stream closes because of an error: what is sent, how long that may take, which reason. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { type FailedLink, endOf } from '../../../src/channels/streams/error-end.ts'
import { OverflowError, WriteError } from '../../../src/errors.ts'
import { kit } from '../link-kit.ts'

// Two good requests and a bad one in one packet: no answer at all. In three packets: two answers.
t.test('what was written before the error is sent', async t => {
  const { stream, sink, transport, news, clock } = await kit(t, Client, { read_delimiter: '\n' })
  stream.on_read = (line: string) => {
    if (line === 'bad') throw new Error('bad request')
    stream.write(`ok ${line}\n`)
  }
  sink.received(Buffer.from('one\ntwo\nbad\nthree\n'))
  t.same(news(), ['error bad request'])
  t.equal(stream.state, 'closing')
  clock.advance(0)
  t.equal(transport.news, 'resume, write ok one\nok two\n, end')
  sink.ended()
  sink.closed()
  t.same(news(), ['write', 'close error'])
})

t.test('a peer that does not end its side has 5 s, and the error is still the reason', async t => {
  for (const [end_timeout, longest] of [
    [undefined, 5000],
    [Infinity, 5000],
    [100, 100],
  ] as const) {
    const { stream, sink, transport, news, clock } = await kit(t, Client, {
      read_delimiter: '\n',
      buffer_size: 4,
      ...(end_timeout && { end_timeout }),
    })
    stream.write('said', true)
    sink.received(Buffer.from('too long'))
    t.equal(stream.state, 'closing')
    clock.advance(longest - 1)
    transport.calls.length = 0
    clock.advance(1)
    t.equal(transport.news, 'destroy', `${end_timeout}`)
    sink.closed()
    t.same(news().at(-1), 'close overflow')
  }
})

t.test('an end of the program, inside the hook, has end_timeout', async t => {
  const { stream, sink, news, clock } = await kit(t, Client, {
    buffer_size: 4,
    read_delimiter: 'x',
  })
  stream.on_error = () => {
    stream.write('last word')
    stream.end()
  }
  sink.received(Buffer.from('too long'))
  clock.advance(29_999)
  t.equal(stream.state, 'closing')
  clock.advance(1)
  sink.closed()
  t.same(news().at(-1), 'close timeout')
})

t.test('it closes at once', async t => {
  const closed = async (act: (made: Awaited<ReturnType<typeof kit>>) => void): Promise<string> => {
    const made = await kit(t, Client, { read_delimiter: '\n', buffer_size: 4 })
    made.transport.bytes_written = 0
    act(made)
    return made.transport.news.split(', ').at(-1)!
  }
  t.equal(
    await closed(({ sink }) => sink.received(Buffer.from('garbage'))),
    'destroy',
    'nothing was written',
  )
  t.equal(
    await closed(({ stream, sink }) => {
      stream.write('said')
      sink.received(Buffer.from('garbage'))
    }),
    'resume',
    'not if something waits to be sent',
  )
  for (const error of [new WriteError('EPIPE', 'text'), new OverflowError('engine', 1, 'text')])
    t.equal(
      await closed(({ stream, sink }) => {
        stream.write('said', true)
        stream.on_read = () => {
          throw error
        }
        sink.received(Buffer.from('x\n'))
      }),
      'destroy',
      'nothing can be sent',
    )
  t.equal(
    await closed(({ stream, sink }) => {
      stream.write('said', true)
      sink.failed(Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' }))
    }),
    'destroy',
    'it has failed',
  )
})

t.test('how long a polite end may take', async t => {
  const link = (hasPeerEnded: boolean, isEmpty: boolean, tls?: object): FailedLink =>
    ({
      values: { end_timeout: 7 },
      told: { tls },
      writing: { isEmpty },
      hasPeerEnded,
    }) as unknown as FailedLink
  const timeout = (...args: Parameters<typeof link>): number => endOf(link(...args)).timeout
  t.equal(timeout(false, true), 7, 'the peer may not end its side')
  t.equal(timeout(true, false), 7, 'it may not take what is queued')
  t.equal(timeout(true, true, {}), 7, 'TLS says goodbye')
  t.equal(timeout(true, true), Infinity, 'otherwise nothing is waited for')
})

t.test('an error while it ends politely does not cut that short', async t => {
  const { stream, sink, transport, news, clock } = await kit(t, Client)
  stream.on_write = () => {
    throw new Error('oops')
  }
  stream.write('bye')
  stream.end()
  clock.advance(0)
  t.equal(transport.news, 'resume, write bye, end')
  sink.ended()
  sink.closed()
  t.same(news(), ['error oops', 'close local'])
})

t.test('a close of the program that throws, and an on_error that throws', async t => {
  const { stream, sink, transport, logged, clock } = await kit(t, Client)
  stream.on_read = (text: string) => {
    stream.write(text)
    throw new Error('in on_read')
  }
  stream.on_error = () => {
    throw new Error('in on_error')
  }
  sink.received(Buffer.from('x'))
  t.match(logged, [/on_error itself threw in on_error/])
  clock.advance(0)
  t.equal(transport.news, 'resume, write x, end', 'its answer is sent, too')

  const other = await kit(t, Client)
  const close = other.stream.close
  other.stream.close = () => {
    throw new Error('in close')
  }
  other.stream.write('said', true)
  t.throws(() => other.sink.received(Buffer.from('x')) ?? other.stream.on_error(new Error('x')))
  other.stream.close = close
  other.stream.end()
  other.clock.advance(29_999)
  t.equal(other.transport.news.includes('destroy'), false, 'this end is not about an error')
})
