/**
 * Layer 5. TextReads: for TypeScript alone, whether the `on_read` of a class fits its `encoding`.
 *
 * TypeScript checks a method before it knows which fields the class has, so the type of `on_read`
 * cannot depend on `encoding`. It is known where the class is used: as the class of a server, and
 * in `connect` and `adopt`. There a class with an `on_read(line: string)` and no `encoding` is
 * refused. Nothing of this is there when a program runs.
 */

import type { Delimiter, ReadDelimiter } from '../../core/delimiters.ts'

/** Never a value: it names a type that no program sees but in an error. */
export declare const TEXT: unique symbol

/** What TypeScript shows for a class that is refused. */
type Refusal = 'this on_read takes text: the class needs an `encoding`, or its reads are Buffers'

/** A stream whose `on_read` takes what it gets. */
export interface TextChecked {
  readonly [TEXT]: true
}

/**
 * `true`, or why a stream of this type is refused. It is always `true` without `strictNullChecks`,
 * because `null extends true` holds there, and an `encoding` of null looks like any other.
 */
export type TextReads<Of> = null extends true
  ? true
  : Of extends {
        encoding: infer Text
        read_delimiter: infer By
        on_read(...data: infer Data): unknown
      }
    ? null extends Text
      ? MayBeText<By> extends true
        ? true
        : TakesBytes<Data>
      : true
    : true

/** A delimiter of a known type may make texts itself, and a RegExp makes an array. */
type MayBeText<By> = ReadDelimiter extends By ? false : By extends Delimiter ? true : false

/** The first argument of `on_read`. */
type TakesBytes<Data extends unknown[]> = Data extends [first?: infer First, ...rest: any[]]
  ? string extends First
    ? Buffer extends First
      ? true
      : Refusal
    : true
  : true

/** A class of such streams. */
export type TextCheckedClass = new (options: any) => TextChecked

/** Options, and not a class: that has a `name`, too. */
export type NotAClass<Options> = Options & { readonly prototype?: never }
