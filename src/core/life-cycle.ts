/**
 * Layer 1. The life of every channel, as one literal table.
 *
 * Rules:
 * 1. Everything that may happen to a channel's state stands in TRANSITIONS; a change that does not
 *    is a bug in sluice.
 * 2. 'destroy' is a signal, not a state: `on_state('destroy', 'closed')` says that the engine has
 *    forgotten the channel.
 * 3. 'error' is left only by closing (seed: "no operations can be performed on it other than
 *    close").
 *
 * Source: seed 001 ("Life cycle state of the channel"), with opening → closing, which its code has
 * and its text forgot.
 */

import type { State } from '../types.ts'

/** From each state, the states that may follow. */
export const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
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
