/** The bound over all channels: who is counted, who is told, and that the sum is real. */

import t from 'tap'
import { STEP, type Weighed, Weights } from '../../src/core/weights.ts'

class Fake implements Weighed {
  weight = 0
  readonly told: number[] = []
  onCrowded: () => void = () => {}

  crowded(limit: number): void {
    this.told.push(limit)
    this.onCrowded()
  }
}

/** So many channels, and how one of them comes to hold so much. */
function make(limit: number, count: number) {
  const weights = new Weights(limit)
  const fakes = Array.from({ length: count }, () => new Fake())
  const hold = (n: number, weight: number): void => {
    fakes[n]!.weight = weight
    weights.weigh(fakes[n]!)
  }
  return { weights, fakes, hold, told: () => fakes.map(fake => fake.told.splice(0).length) }
}

t.test('who holds most is told, and only when it is too much', async t => {
  const { hold, told, fakes } = make(1_000_000, 3)
  hold(0, 300_000)
  hold(1, 400_000)
  hold(2, 300_000)
  t.same(told(), [0, 0, 0])
  fakes[1]!.onCrowded = () => (fakes[1]!.weight = 0)
  hold(2, 320_000)
  t.same(told(), [0, 1, 0])
  hold(2, 690_000)
  t.same(told(), [0, 0, 0], 'what was let go counts no more')
  hold(2, 710_000)
  t.same(told(), [1, 0, 1], 'the next one too, when that does not help')
})

t.test('who was told is told again only after it has let go', async t => {
  const { hold, told, fakes } = make(100_000, 2)
  hold(0, 120_000)
  hold(0, 140_000)
  hold(0, 200_000)
  t.same(told(), [1, 0])
  hold(1, 20_000)
  t.same(told(), [0, 1])
  // It has let go, which is seen when somebody else grows.
  hold(0, 0)
  hold(1, 110_000)
  t.same(told(), [0, 0])
  hold(0, 120_000)
  t.same(told(), [1, 0])
  fakes[0]!.weight = 0
})

t.test('what has shrunk counts for what it is', async t => {
  const { hold, told, fakes } = make(100_000, 50)
  // A message of 60 KB each, delivered before the next one comes.
  for (let n = 0; n < 50; n++) {
    hold(n, 60_000)
    hold(n, 0)
  }
  t.same(told(), Array(50).fill(0))
  // Together just below the limit, and small ones that nobody counts.
  for (let n = 0; n < 5; n++) hold(n, 20_000)
  for (let n = 5; n < 50; n++) hold(n, STEP - 1)
  t.same(told(), Array(50).fill(0))
  hold(7, 20_000)
  t.equal(told().filter(count => count > 0).length, 6, 'nobody lets go: each of them is told')
  t.ok(fakes.every(fake => fake.weight > 0))
})

t.test('it is counted in steps', async t => {
  const { hold, told } = make(100_000, 1)
  hold(0, 90_000)
  hold(0, 90_000 + STEP - 1)
  t.same(told(), [0], 'less than a step more is not seen')
  hold(0, 90_000 + STEP)
  t.same(told(), [1])
})

t.test('removed', async t => {
  const { weights, fakes, hold, told } = make(100_000, 3)
  hold(0, 90_000)
  weights.remove(fakes[0]!)
  weights.remove(fakes[0]!)
  weights.remove(fakes[1]!)
  fakes[0]!.weight = 0
  hold(1, 90_000)
  t.same(told(), [0, 0, 0])
  // It closes when it is told, as channels do.
  fakes[1]!.onCrowded = () => weights.remove(fakes[1]!)
  hold(2, 40_000)
  hold(2, 90_000)
  t.same(told(), [0, 1, 0])
})

t.test('what is written when one is told does not tell the next', async t => {
  const { hold, told, fakes } = make(100_000, 2)
  fakes[0]!.onCrowded = () => {
    hold(1, 60_000)
    fakes[0]!.weight = 0
  }
  hold(0, 120_000)
  t.same(told(), [1, 0])
})

t.test('the limit can change', async t => {
  const { weights, hold, told } = make(Infinity, 1)
  hold(0, 1e9)
  weights.limit = 1000
  t.same(told(), [0])
  hold(0, 1e9 + STEP)
  t.same(told(), [1])
})
