/** An attempt to connect: its timeout and its signal, and that nothing is left when it is over. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import { Attempt } from '../../../src/channels/streams/attempt.ts'
import { Engine } from '../../../src/engine.ts'
import { codeOf } from '../../../src/errors.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { Endpoint } from '../../../src/transport.ts'
import { turn } from '../../kit.ts'
import { Bare, drive } from '../bare.ts'

const TO: Endpoint = { kind: 'ip', host: 'example.com', port: 7 }

/** A channel that is connecting, and keeps what it is told. */
class Connecting extends Bare {
  connect_timeout = 100

  on_timeout(kind: string): void {
    this.log.push(`timeout ${kind}`)
  }

  on_connect_error(error: Error): void {
    this.log.push(`${codeOf(error)} ${error.message}, as ${error.cause}`)
  }
}

function setUp(connect_timeout = 100, signal?: AbortSignal) {
  const clock = new ManualClock()
  const channel = new Connecting({ engine: new Engine({ clock }) })
  drive(channel)
  channel.connect_timeout = connect_timeout
  channel.begin()
  channel[LIFE].announce()
  channel.log = []
  const attempt = new Attempt(channel[LIFE], channel, TO, signal)
  return { attempt, channel, clock, log: channel.log }
}

t.test('its time runs out, and begins anew if the hook lets it go on', async t => {
  const { attempt, channel, clock, log } = setUp()
  clock.advance(99)
  t.same(log, [])
  clock.advance(1)
  t.same(log, ['timeout connect'])
  channel.connect_timeout = 10
  clock.advance(100)
  clock.advance(10)
  t.same(log, ['timeout connect', 'timeout connect', 'timeout connect'], 'with the new setting')
  attempt.stop()
  t.equal(clock.pending, 0)
})

t.test('the hook may end it, or take the limit away', async t => {
  const { attempt, channel, clock } = setUp()
  channel.on_timeout = () => attempt.stop()
  clock.advance(100)
  t.equal(clock.pending, 0)
  const other = setUp()
  other.channel.on_timeout = () => {
    other.channel.connect_timeout = Infinity
  }
  other.clock.advance(100)
  t.equal(other.clock.pending, 0)
  t.equal(setUp(Infinity).clock.pending, 0, 'no timer without a limit')
})

// With a clock of a test, the time of a client that connects in a hook may run out before a
// microtask has run: on_timeout came before on_state said that it opens. Found by npm run fuzz.
t.test('REGRESSION: on_state comes first, and may end it', async t => {
  for (const isEnded of [false, true]) {
    const clock = new ManualClock()
    const channel = new Connecting({ engine: new Engine({ clock }) })
    drive(channel)
    channel.begin()
    const attempt = new Attempt(channel[LIFE], channel, TO, undefined)
    if (isEnded) channel.on_state = () => attempt.stop()
    clock.advance(100)
    t.same(channel.log, isEnded ? [] : ['closed>opening', 'timeout connect'])
    attempt.stop()
  }
})

t.test('its signal aborts it, not before the call that aborts has returned', async t => {
  const controller = new AbortController()
  const { attempt, log } = setUp(100, controller.signal)
  controller.abort('for a test')
  t.same(log, [], 'no hook runs inside abort()')
  await Promise.resolve()
  const told = [
    'opening>error',
    'ERR_ABORTED connecting to example.com:7 was aborted by its signal, as for a test',
    'close(false)',
    'error>closing',
  ]
  t.same(log, told)
  attempt.stop()

  const late = setUp(100, controller.signal)
  t.same(late.log, [], 'nor inside connect() if it was aborted before')
  await Promise.resolve()
  t.same(late.log, told)
})

t.test('when it is over, its signal does nothing', async t => {
  const controller = new AbortController()
  const first = setUp(100, controller.signal)
  const second = setUp(100, controller.signal)
  first.attempt.stop()
  controller.abort()
  second.attempt.stop()
  await turn()
  t.same([...first.log, ...second.log], [], 'also between abort() and the microtask')
})
