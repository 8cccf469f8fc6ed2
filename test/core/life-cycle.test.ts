import t from 'tap'
import { mayFollow, TRANSITIONS } from '../../src/core/life-cycle.ts'
import type { State } from '../../src/types.ts'

const STATES: readonly State[] = ['closed', 'opening', 'active', 'closing', 'error']

t.test('exactly these changes are possible (seed 001)', async t => {
  const possible = STATES.flatMap(from =>
    STATES.filter(to => mayFollow(from, to)).map(to => `${from} → ${to}`),
  )
  t.same(possible, [
    'closed → opening',
    'opening → active',
    'opening → closing',
    'opening → error',
    'active → closing',
    'active → error',
    'closing → closed',
    'closing → error',
    'error → closing',
  ])
})

t.test('every state can be reached, and from every state there is a way to closed', async t => {
  const reachable = (from: State, seen = new Set<State>()): Set<State> => {
    for (const to of TRANSITIONS[from]) {
      if (!seen.has(to)) reachable(to, seen.add(to))
    }
    return seen
  }
  t.same(Object.keys(TRANSITIONS).sort(), [...STATES].sort())
  for (const state of STATES) t.same([...reachable(state)].sort(), [...STATES].sort(), state)
})
