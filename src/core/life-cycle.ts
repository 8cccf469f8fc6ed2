/**
 * Layer 1. The life of every channel, as one table.
 *
 * Rules:
 * 1. TRANSITIONS has every change of state that is possible. Any other change is a bug in sluice.
 * 2. 'destroy' is a signal, not a state: `on_state('destroy', 'closed')` says that the engine has
 *    forgotten the channel.
 * 3. A channel in 'error' can only be closed.
 */
// Source: the channels of TLL (github.com/shramov/tll), with opening → closing, which its code has
// and its documentation leaves out.

import type { State } from '../types.ts'

/** For each state, the states that may follow it. */
const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  closed: ['opening'],
  opening: ['active', 'error', 'closing'],
  active: ['closing', 'error'],
  closing: ['closed', 'error'],
  error: ['closing'],
}

/** May a channel in `from` go to `to`? */
export function mayFollow(from: State, to: State): boolean {
  return TRANSITIONS[from].includes(to)
}
