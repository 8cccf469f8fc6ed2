/**
 * How hooks are called: what they throw, what they return, who is to blame; and the log line.
 */

import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { LIFE } from '../../src/channels/life.ts'
import { Engine } from '../../src/engine.ts'
import { ClosedError } from '../../src/errors.ts'
import { scene, turn } from '../kit.ts'
import { Bare, drive, engine, logged } from './bare.ts'

t.beforeEach(() => void logged.splice(0))

t.test('what a hook throws goes to on_error, what that throws to the log', async t => {
  const channel = new Bare({ name: 'frail' }).open()
  const errors: Error[] = []
  channel.on_error = error => void errors.push(error)
  channel.on_state = () => {
    throw new Error('in on_state')
  }
  channel[LIFE].call('on_state', 'active', 'opening')
  channel.on_state = null as never
  channel[LIFE].call('on_state', 'active', 'opening')
  channel[LIFE].hookFailed('text')
  t.match(errors, [
    { message: 'in on_state' },
    // It was "this.channel[hook] is not a function": which one?
    { code: 'ERR_INVALID_ARGUMENT', message: 'on_state must be a function; got null' },
    { code: 'ERR_HOOK', message: 'a hook threw "text": throw an Error instead', cause: 'text' },
  ])
  t.equal(channel.state, 'active', 'who overrides on_error goes on')
  channel.on_error = error => {
    throw new Error(`on ${error.message}`)
  }
  channel.on_state = () => {}
  channel[LIFE].hookFailed(new Error('first'))
  t.equal(channel.state, 'closing')
  t.match(logged, [/^frail: on_error itself threw on first, on first\n    at /])
  t.equal(channel.finish().at(-1), 'close error')

  channel.on_error = Bare.prototype.on_error
  channel.on_close = () => {
    throw new Error('in on_close')
  }
  channel.open()
  const { closed } = channel
  channel.finish()
  t.equal(await closed, 'local', 'on_close threw, and the promise settles all the same')
  t.match(logged[1], /^frail: Error: in on_close\n/)
})

// What an async on_error rejected with went to on_error, which rejected again: the process did
// nothing else any more.
t.test('on_error may reject, too', async t => {
  logged.length = 0
  class Frail extends Client {
    count = 0
    override on_connect_error(): void {
      throw new Error('first')
    }
    override async on_error(error: Error): Promise<void> {
      if (++this.count < 10) throw new Error(`on ${error.message}`)
    }
  }
  const channel = new Frail({ engine, name: 'frail' }).connect({ path: '/nobody/is/here' })
  t.equal(await channel.closed, 'error')
  await turn()
  t.equal(channel.count, 1)
  t.match(logged.splice(0), [/^frail: on_error itself threw on first, on first\n    at /])
})

t.test('who rejects in on_error closes, as who throws', async t => {
  await scene(t, 'a connection', async (t, { engine, logged, pump }) => {
    class Frail extends Connection {
      override on_read(): void {
        throw new Error('first')
      }
      override on_error = async (): Promise<void> => {
        throw new Error('second')
      }
    }
    const server = new Server(Frail, { engine }).listen(1)
    await pump()
    const client = new Client({ engine }).connect(1)
    await pump()
    const [connection] = server.channels
    client.write('x')
    await pump()
    t.equal(connection!.state, 'closed')
    t.match(logged, [/^Frail.*: on_error itself threw second, on first\n    at /])
  })
})

// What on_error threw was shown with String(), which throws for what has no way to become a string;
// inside a socket's event that ended the process.
t.test('what on_error throws need not be an Error', async t => {
  const channel = new Bare({ name: 'odd' }).open()
  channel.on_error = () => {
    throw Object.create(null)
  }
  t.doesNotThrow(() => channel[LIFE].hookFailed(Object.create(null)))
  t.same(logged, [
    'odd: on_error itself threw an object (without prototype), ' +
      'on a hook threw an object (without prototype): throw an Error instead',
  ])
  channel.finish()
})

t.test('what a hook returns goes to the driver', async t => {
  const channel = new Bare().open()
  channel.on_close = () => 'something' as never
  channel.on_error = () => Promise.resolve() as never
  channel[LIFE].call('on_close', 'local')
  channel[LIFE].hookFailed(new Error('without a driver'))
  const calls = drive(channel)
  channel[LIFE].call('on_close', 'local')
  channel[LIFE].hookFailed(new Error('with one'))
  channel[LIFE].call('on_state', 'active', 'active')
  t.same(calls, ['returned something', 'returned [object Promise]'])
  channel.finish()
})

t.test('the log line', async t => {
  const channel = new Bare({ name: 'line' })
  t.equal(channel[LIFE].describe(), 'line')
  drive(channel)
  t.equal(channel[LIFE].describe(), 'line')
  drive(channel, '[::1]:4040')
  t.equal(channel[LIFE].describe(), 'line [::1]:4040')
  channel[LIFE].log(new Error('a bug'))
  channel[LIFE].log(Object.assign(new Error('no stack'), { stack: undefined }))
  channel[LIFE].log(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  channel[LIFE].log(new ClosedError('was closed'))
  t.match(logged, [
    /^line \[::1\]:4040: Error: a bug\n {4}at /,
    'line [::1]:4040: Error: no stack',
    'line [::1]:4040: read ECONNRESET',
    'line [::1]:4040: was closed (ERR_CLOSED)',
  ])
})

t.test('what closes it in a hook that is blamed closes it for that reason', async t => {
  const engine = new Engine({ log: () => {} })
  const channel = new Bare({ engine }).open()
  channel[LIFE].open('connect')
  const kinds: unknown[] = []
  Object.assign(channel, { on_timeout: (kind: unknown) => kinds.push(kind) })
  channel[LIFE].callBlaming('timeout', 'on_timeout', 'read')
  t.same([kinds, channel.state], [['read'], 'active'], 'it need not')
  Object.assign(channel, { on_timeout: () => channel[LIFE].beginClosing() })
  channel[LIFE].callBlaming('timeout', 'on_timeout', 'read')
  channel[LIFE].finishClosing()
  t.equal(await channel.closed, 'timeout')
  channel.open()
  channel[LIFE].beginClosing()
  channel[LIFE].finishClosing()
  t.equal(await channel.closed, 'local')
})

// write(5) in a hook was logged without the line that made the mistake, as it is an error of
// sluice.
await scene(t, "a hook's error is logged with its place", async (t, { engine, pump, logged }) => {
  class WriteNumber extends Connection {
    override on_read() {
      this.write(5 as never)
    }
  }
  new Server(WriteNumber, { engine }).listen(1)
  const client = new Client({ engine })
  client.on_connect = () => void client.write('x')
  client.connect(1)
  await pump()
  t.match(
    logged[0],
    /write: data must be .*; got 5 \(ERR_INVALID_ARGUMENT\)\n +at .*\n[^]*hooks\.test/,
  )
  client.close()
  const channel = new Bare({ name: 'bare' }).open()
  channel[LIFE].logFault(Object.assign(new Error('oh'), { code: 'E_OH', stack: undefined }))
  t.equal(logged.length, 1)
})

t.test('a promise that is rejected goes to on_error, unless its opening is over', async t => {
  const channel = new Bare({ name: 'late' }).open()
  const errors: unknown[] = []
  channel.on_error = error => errors.push(error)
  const [one, other] = [new Error('in time'), new Error('too late')]
  channel[LIFE].promiseRejected(one, false)
  channel[LIFE].promiseRejected(other, true)
  t.same(errors, [one])
  t.match(logged, [/^late: Error: too late\n/])
  channel.finish()
})

t.test('a hook that rejects because its channel has ended has not failed', async t => {
  const channel = new Bare()
  const life = channel[LIFE]
  const ended = life.endedError('closed', 'remote')
  t.match(ended, { code: 'ERR_CLOSED', message: 'Bare: closed', reason: 'remote' })
  logged.length = 0
  life.promiseRejected(ended, true)
  t.same([channel.log, logged], [[], []])
  new Bare()[LIFE].promiseRejected(ended, true)
  life.promiseRejected(undefined, true)
  t.equal(logged.splice(0).length, 2)
})

t.test('call returns what the hook returned, or a promise that rejects', async t => {
  const channel = new Bare() as Bare & Record<string, unknown>
  channel.on_some = () => 5
  channel.on_bad = () => {
    throw new Error('bad')
  }
  const { [LIFE]: life } = channel
  t.equal(life.call('on_some'), 5)
  await t.rejects(life.call('on_bad') as Promise<void>, { message: 'bad' })
  logged.length = 0
})

// `on_read(line: string)` without an encoding compiles. The log said only "trim is not a function".
t.test('a hook that takes bytes for text is told so', async t => {
  const channel = new Bare() as Bare & { encoding?: string | null }
  logged.length = 0
  const fail = (text: string): string => {
    channel[LIFE].log(new TypeError(text))
    channel[LIFE].logFault(new TypeError(text))
    const [plain, fault] = logged.splice(0)
    t.notMatch(plain, /set `encoding`/, 'not thrown by a hook')
    return fault as string
  }
  t.notMatch(fail('line.trim is not a function'), /set `encoding`/, 'it has no reads')
  channel.encoding = null
  t.match(
    fail('line.trim is not a function'),
    /on_read gets a Buffer, which has no trim: set `encoding`/,
  )
  t.notMatch(fail('line.slice is not a function'), /set `encoding`/, 'a Buffer has it')
  t.notMatch(fail('line.shout is not a function'), /set `encoding`/, 'text has it not')
  t.notMatch(fail('bad'), /set `encoding`/)
  channel.encoding = 'utf8'
  t.notMatch(fail('line.trim is not a function'), /set `encoding`/, 'it is text')
})
