/**
 * Layer 1. Types of options. It imports nothing: a page for browsers, compiled without the types of
 * Node, takes it.
 */

/** Settings as options: each may be left out, which is what `undefined` means, too. */
export type AsOptions<Settings> = { [Name in keyof Settings]?: Settings[Name] | undefined }

/** Options of which each has a value: its default if it was left out. */
export type Complete<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> }
