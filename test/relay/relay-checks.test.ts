import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { MemoryRelay } from '../../src/relay/memory-relay.ts'
import {
  checkListener,
  checkMember,
  checkReading,
  checkRelay,
  checkTopic,
  relayValues,
  toBuffer,
} from '../../src/relay/relay-checks.ts'

t.test('what is refused, by name', async t => {
  const message = (call: () => unknown): string => {
    try {
      call()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }
  const rows: [call: () => unknown, message: string][] = [
    [() => checkTopic('publish', 'x'.repeat(1024)), 'nothing'],
    [() => checkTopic('publish', ''), 'publish: topic must be text of 1 to 1024'],
    [() => checkMember('present', 'x', 5), 'present: member must be text'],
    [() => checkListener('watch', 'x', () => {}), 'nothing'],
    [() => checkListener('watch', 'x', {}), 'watch: listener must be a function'],
    [() => checkListener('watch', 5, () => {}), 'watch: topic must be text'],
    [() => checkListener('subscribe', 'x', () => {}, 5), 'subscribe: options must be an object'],
    [
      () => checkListener('subscribe', 'x', () => {}, { on_gap: 5 }),
      'subscribe: on_gap must be a function',
    ],
    [() => checkReading('x', 0, 1), 'nothing'],
    [() => checkReading('', 0, 1), 'read_after: topic must be'],
    [() => checkReading('x', -1, 1), 'read_after: seq must be'],
    [() => checkReading('x', 1.5, 1), 'read_after: seq must be'],
    [() => checkReading('x', 1, 0), 'read_after: limit must be'],
    [() => toBuffer('append', null as never), 'append: data must be a string or'],
    [() => checkRelay('x', 5), 'x must be a Relay, or a URL such as redis://localhost'],
    [() => relayValues('x', { history: 1.5 }), 'x: history must be a whole number'],
    [() => relayValues('x', { engine: 5 as never }), 'x: engine must be an Engine'],
    [() => relayValues('x', { histroy: 5 } as never), 'did you mean history'],
    [() => relayValues('x', { own: 5 } as never, { own: () => {} }), 'nothing'],
  ]
  for (const [call, expected] of rows) t.match(message(call), expected)
  for (const prefix of ['', 'a.b', '*', 'x'.repeat(65), null])
    t.match(
      message(() => relayValues('x', { prefix } as never)),
      'x: prefix must be a word',
    )
  t.strictSame(
    [toBuffer('publish', 'é').length, toBuffer('publish', Buffer.from('a')).length],
    [2, 1],
  )
  const relay = new MemoryRelay()
  t.strictSame([checkRelay('x', relay), checkRelay('x', 'memory:')], [relay, 'memory:'])
  t.strictSame(relayValues('x', { lease: 5 }), {
    engine: Engine.instance(),
    history: 1000,
    age: 3_600_000,
    lease: 5,
    prefix: 'sluice',
  })
})
