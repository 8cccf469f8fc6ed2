/**
 * What a program sees of every channel. What happens behind it is held by life.test.ts and
 * hooks.test.ts.
 */

import { inspect } from 'node:util'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Channel } from '../../src/channels/channel.ts'
import { LIFE } from '../../src/channels/life.ts'
import { Engine } from '../../src/engine.ts'
import type { CloseReason, State, StateSignal } from '../../src/types.ts'
import { scene, thrown } from '../kit.ts'
import { drive } from './bare.ts'

const logged: string[] = []
const engine = new Engine({ log: message => logged.push(message) })

/** A channel of nothing: what a socket would report, the test reports. */
class Bare extends Channel {
  log: string[] = []

  constructor(options: object = {}) {
    super({ engine, ...options })
  }

  override close(flush = false): void {
    this.log.push(`close(${flush})`)
    if (this.state !== 'closed' && this.state !== 'closing') this[LIFE].beginClosing()
  }

  override on_state(state: StateSignal, previous: State): void {
    this.log.push(`${previous}>${state}`)
  }

  override on_close(reason: CloseReason): void {
    this.log.push(`close ${reason}`)
  }

  /** To 'active', as a connection does. */
  open(): this {
    this[LIFE].beginOpening()
    this[LIFE].open('connect')
    return this
  }

  /** From whatever to 'closed'. */
  finish(): string[] {
    this.close()
    this[LIFE].finishClosing()
    return this.log.splice(0)
  }
}

t.beforeEach(() => void logged.splice(0))

t.test('is made', async t => {
  class Named extends Bare {}
  t.equal(new Named().name, 'Named')
  t.equal(new Bare({ name: 'door' }).name, 'door')
  t.equal(new Bare({ name: '' }).name, '')
  const renamed = new Bare()
  // A symbol broke each line of the log.
  for (const name of [Symbol('name'), 5, undefined])
    t.throws(() => Object.assign(renamed, { name }), { message: /^name must be text; got / })
  renamed.name = 'other'
  t.same([renamed.name, renamed[LIFE].describe(), renamed.engine], ['other', 'other', engine])
  // A field of a class is in front of the accessor.
  class Field extends Bare {
    override name = 'field'
  }
  t.equal(new Field()[LIFE].describe(), 'field')
  t.equal(new Bare().engine, engine)
  t.equal(new Client().engine, Engine.instance())
  for (const options of [{ engine: {} }, { engine: null }, { name: 5 }, { name: null }]) {
    t.equal(
      thrown(() => new Bare(options)),
      'ERR_INVALID_ARGUMENT',
    )
  }
  for (const options of [null, 5, 'options', () => {}])
    t.equal(
      thrown(() => new Client(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  const channel = new Bare()
  t.equal(channel.state, 'closed')
  t.equal(channel.suspended, false)
  t.same(channel.log, [], 'no hook is called')
})

t.test('end and dispose', async t => {
  const channel = new Bare().open()
  channel.end()
  t.equal(channel.log.at(-2), 'close(true)')
  // `end(data)` of a socket of Node sends the data. Here it would have been lost without a word.
  t.throws(() => (channel.end as any)('bye'), {
    message: 'end: its argument must be left out: write() the data first; got "bye"',
  })
  setImmediate(() => channel[LIFE].finishClosing())
  await channel[Symbol.asyncDispose]()
  t.equal(channel.state, 'closed')
})

await scene(
  t,
  'closed when told that it is opening, by a connection',
  async (t, { engine, pump }) => {
    const log: string[] = []
    new Server(
      class extends Connection {
        override on_state(state: StateSignal) {
          log.push(state)
          if (state === 'opening') this.close()
        }
      },
      { engine },
    ).listen(1)
    await pump()
    const client = new Client({ engine }).connect(1)
    await pump()
    t.same(log, ['opening', 'closing', 'closed', 'destroy'])
    t.equal(await client.closed, 'remote')
  },
)

t.test('its hooks do nothing, or log and close; its life answers', async t => {
  class Plain extends Channel {
    override close(): void {
      if (this.state === 'active') this[LIFE].beginClosing()
    }
  }
  const channel = new Plain({ engine, name: 'plain' })
  const calls = drive(channel)
  channel.suspend()
  t.equal(channel.suspended, true)
  channel.resume()
  t.equal(channel.suspended, false)
  t.same(calls, ['suspended', 'resumed'])
  const { opened } = channel
  channel[LIFE].beginOpening()
  channel[LIFE].open('connect')
  t.equal(await opened, channel)
  const { closed } = channel
  channel.on_error(new Error('a bug'))
  t.match(logged, [/^plain: Error: a bug\n/])
  t.equal(channel.state, 'closing')
  channel[LIFE].finishClosing()
  t.equal(await closed, 'local')
})

t.test('console.log shows it, before and after a driver is there', async t => {
  class Plain extends Channel {
    override close(): void {}
  }
  const channel = new Plain({ engine, name: 'plain' })
  t.match(inspect(channel), /^Plain/)
  drive(channel)
  t.match(inspect(channel), /^Plain.*closed/s)
})
