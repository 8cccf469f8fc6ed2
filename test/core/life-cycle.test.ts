import t from 'tap'
import { mayFollow } from '../../src/core/life-cycle.ts'
import type { State } from '../../src/types.ts'

const STATES: readonly State[] = ['closed', 'opening', 'active', 'closing', 'error']

const before = (to: State): readonly State[] => STATES.filter(from => mayFollow(from, to))
const after = (from: State): readonly State[] => STATES.filter(to => mayFollow(from, to))

// Together these say of each of the 25 changes whether it is possible.
t.test('what may lead to each state', async t => {
  t.same(before('opening'), ['closed'], 'only a closed channel can be opened')
  t.same(before('active'), ['opening'], 'only a channel that is opening becomes active')
  t.same(before('closing'), ['opening', 'active', 'error'], 'what is open or failed can be closed')
  t.same(before('closed'), ['closing'], 'nothing is closed without closing')
  t.same(before('error'), ['opening', 'active', 'closing'], 'whatever is not at rest can fail')
})

t.test('a closed channel can only be opened, and one that failed can only be closed', async t => {
  t.same(after('closed'), ['opening'])
  t.same(after('error'), ['closing'])
})

t.test('no state follows itself', async t => {
  for (const state of STATES) t.notOk(mayFollow(state, state), state)
})

t.test('every state can be reached, and from every state there is a way to closed', async t => {
  const reachable = (from: State, seen = new Set<State>()): Set<State> => {
    for (const to of after(from)) {
      if (!seen.has(to)) reachable(to, seen.add(to))
    }
    return seen
  }
  for (const state of STATES) t.same([...reachable(state)].sort(), [...STATES].sort(), state)
})
