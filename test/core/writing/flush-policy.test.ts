/** When written data goes out: the rules of the header, one by one. */

import t from 'tap'
import { Turns } from '../../../src/core/time/turns.ts'
import { FlushPolicy, type Queue } from '../../../src/core/writing/flush-policy.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'

/** A channel and its queue in one. */
class Fake implements Queue {
  isFull = false
  least = 0
  readonly log: string[] = []

  turn(): void {
    this.log.push('turn')
  }

  get news(): string[] {
    return this.log.splice(0)
  }
}

function setUp() {
  const clock = new ManualClock()
  const policy = new FlushPolicy(new Turns(clock))
  const [one, other] = [new Fake(), new Fake()]
  /** It receives, and its hooks do that meanwhile. */
  const receive = (sender: Fake, hooks: () => void = () => {}): string[] => {
    const outer = policy.receiving(sender)
    hooks()
    policy.received(sender, sender, outer)
    return sender.news
  }
  return { clock, policy, one, other, receive }
}

t.test('1. a write waits for the turn', async t => {
  const { clock, policy, one } = setUp()
  policy.queued(one)
  t.same(one.news, [])
  clock.advance(0)
  t.same(one.news, ['turn'])
})

t.test('2. alone: what is written while it receives goes out after that', async t => {
  const { clock, policy, one, other, receive } = setUp()
  t.same(
    receive(one, () => policy.queued(one)),
    [],
    'it is not known yet who else has something to send',
  )
  clock.advance(0)
  t.same(one.news, ['turn'])
  t.same(
    receive(one, () => policy.queued(one)),
    ['turn'],
  )
  clock.advance(0)
  t.same(one.news, [], 'it has asked for no turn')
  policy.queued(one)
  clock.advance(0)
  t.same(one.news, ['turn'], 'what is written elsewhere waits')

  policy.queued(one)
  policy.queued(other)
  clock.advance(0)
  one.log.length = other.log.length = 0
  t.same(
    [receive(one, () => policy.queued(one)), receive(other, () => policy.queued(other))],
    [[], []],
    'two at a time: each has its turn',
  )
})

t.test('2. one that receives inside the other does not go for it', async t => {
  const { clock, policy, one, other, receive } = setUp()
  policy.queued(one)
  clock.advance(0)
  one.log.length = 0
  t.same(
    receive(one, () => {
      policy.queued(one)
      t.same(
        receive(other, () => policy.queued(other)),
        [],
        'the other was not alone',
      )
    }),
    [],
    'it asked for its turn when the other began, which may have to wait for it',
  )
  clock.advance(0)
  t.same([one.news, other.news], [['turn'], ['turn']])
})

t.test('3. much, or a queue at its mark, goes out when it has received', async t => {
  const { one, receive } = setUp()
  for (const [least, isFull, expected] of [
    [2047, false, []],
    [2048, false, ['turn']],
    [0, true, ['turn']],
  ] as const) {
    Object.assign(one, { least, isFull })
    t.same(receive(one), expected)
  }
})

t.test('3. much that goes out when it has received asks for no turn', async t => {
  const { clock, policy, one, receive } = setUp()
  one.least = 2048
  t.same(
    receive(one, () => policy.queued(one)),
    ['turn'],
  )
  t.equal(clock.pending, 0, 'the loop is not woken for nothing')
})
