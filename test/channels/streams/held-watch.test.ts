/** A hook that holds reads for long while bytes wait is told in the log, by its name. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { type HeldOwner, HeldWatch } from '../../../src/channels/streams/held-watch.ts'
import { turn } from '../../kit.ts'
import { kit, withResolvers } from '../link-kit.ts'

class Waiting extends Client {
  override read_delimiter: any = '\n'
  gate = withResolvers()
  override on_connect(): any {
    return this.gate.promise
  }
  override on_read(): any {}
}

// An async on_connect that awaits an answer which on_read would get: it waited for ever, without a
// word, and no timeout helped.
t.test('after 5 s, once', async t => {
  const { stream, sink, clock, logged } = await kit(t, Waiting, {}, false)
  sink.opened()
  clock.advance(60_000)
  t.same(logged, [], 'no bytes wait')
  sink.received(Buffer.from('answer\n'))
  clock.advance(4999)
  t.same(logged, [])
  clock.advance(1000)
  t.same(logged.splice(0), [
    'Waiting there:2: on_connect has held the reads for 5 s, and 7 bytes wait for it; ' +
      'a hook that needs an answer awaits read()',
  ])
  sink.received(Buffer.from('more\n'))
  clock.advance(60_000)
  t.same(logged, [], 'once')
  stream.close()
  sink.closed()
})

t.test('not if each of the hooks is quick, or if the program reads', async t => {
  const { stream, sink, clock, logged } = await kit(t, Waiting, {}, false)
  sink.opened()
  stream.gate.resolve()
  await turn()
  let gate = withResolvers()
  stream.on_read = () => gate.promise
  sink.received(Buffer.from('a\nb\nc\nd\n'))
  for (let n = 0; n < 3; n++) {
    clock.advance(3000)
    const { resolve } = gate
    gate = withResolvers()
    resolve()
    await turn()
  }
  t.same(logged, [])
  gate.resolve()
  await turn()
  clock.advance(10_000)
  t.equal(clock.pending, 0, 'nothing is looked at any more')
  stream.on_read = async () => void (await stream.read())
  sink.received(Buffer.from('e\n'))
  sink.received(Buffer.from('f'))
  clock.advance(10_000)
  t.same(logged, [])
})

t.test('before there is any promise', async t => {
  new HeldWatch({ promises: undefined } as HeldOwner).begin()
  t.pass('nothing is looked at')
})

t.test('closing ends it', async t => {
  const { stream, sink, clock, logged } = await kit(t, Waiting, {}, false)
  sink.opened()
  sink.received(Buffer.from('answer\n'))
  stream.close()
  sink.closed()
  clock.advance(60_000)
  t.same([logged, clock.pending], [[], 0])
})
