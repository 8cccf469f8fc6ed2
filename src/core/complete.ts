/**
 * Layer 1. Options of which each has a value. It imports nothing: a page for browsers, compiled
 * without the types of Node, takes it.
 */

/** Options of which each has a value: its default if it was left out. */
export type Complete<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> }
