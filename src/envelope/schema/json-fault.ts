/**
 * Layer 9. Says where a text stops being JSON, in the words of the original's parser. The text is
 * read once more for that, and only if JSON.parse has refused it.
 *
 * Call order: value → text, object, array, literal or number → the first fault.
 *
 * Rules:
 * 1. A position counts characters (code points), a column begins with 1.
 * 2. The fault quotes the text up to a bound: a peer must not make us send more than it sends.
 */

// Source: CPython 3.11, module json; by running it.

import type { Fault } from './faults.ts'

/** Nesting beyond this is refused: reading it again costs a call for each level. */
const DEEPEST = 500

/** How much of the text is quoted, in characters: enough to recognise a message. */
const SHOWN = 1000

/** The fault of a text that JSON.parse does not take. */
export function jsonFault(text: string): Fault {
  const [msg, at] = new Reader(text).fault()
  const before = text.slice(0, at)
  const pos = lengthOf(before)
  const lines = before.split('\n')
  const lineno = lines.length
  const colno = lengthOf(lines[lineno - 1] as string) + 1
  return {
    loc: ['__root__'],
    msg: `${msg}: line ${lineno} column ${colno} (char ${pos})`,
    type: 'value_error.jsondecode',
    ctx: { msg, doc: text.slice(0, SHOWN), pos, lineno, colno },
  }
}

/** In code points. */
function lengthOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Thrown inside the reader to leave all its levels. */
class Stop {
  readonly msg: string
  readonly at: number
  constructor(msg: string, at: number) {
    this.msg = msg
    this.at = at
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const LITERAL = /null|true|false/y
const BLANKS = /[ \t\n\r]*/y
const PLAIN = /[^"\\\0-\x1f]*/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  fault(): [msg: string, at: number] {
    if (this.#text.startsWith('\ufeff')) return ['Unexpected UTF-8 BOM (decode using utf-8-sig)', 0]
    try {
      this.#skip(BLANKS)
      this.#value(0)
      this.#skip(BLANKS)
    } catch (stop) {
      const { msg, at } = stop as Stop
      return [msg, at]
    }
    return ['Extra data', this.#at]
  }

  #next(): string | undefined {
    return this.#text[this.#at]
  }

  /** Skips what matches here, and says whether that was anything. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const isThere = pattern.test(this.#text)
    const isMore = isThere && pattern.lastIndex > this.#at
    if (isThere) this.#at = pattern.lastIndex
    return isMore
  }

  #value(depth: number): void {
    if (depth > DEEPEST) throw new Stop('Too deeply nested', this.#at)
    const next = this.#next()
    if (next === '"') return this.#string()
    if (next === '{') return this.#object(depth)
    if (next === '[') return this.#array(depth)
    if (!this.#skip(LITERAL) && !this.#skip(NUMBER)) throw new Stop('Expecting value', this.#at)
  }

  #object(depth: number): void {
    this.#at++
    this.#skip(BLANKS)
    if (this.#next() === '}') return void this.#at++
    for (;;) {
      if (this.#next() !== '"')
        throw new Stop('Expecting property name enclosed in double quotes', this.#at)
      this.#string()
      this.#skip(BLANKS)
      this.#expect(':')
      this.#skip(BLANKS)
      this.#value(depth + 1)
      this.#skip(BLANKS)
      if (this.#next() === '}') return void this.#at++
      this.#expect(',')
      this.#skip(BLANKS)
    }
  }

  #array(depth: number): void {
    this.#at++
    this.#skip(BLANKS)
    if (this.#next() === ']') return void this.#at++
    for (;;) {
      this.#value(depth + 1)
      this.#skip(BLANKS)
      if (this.#next() === ']') return void this.#at++
      this.#expect(',')
      this.#skip(BLANKS)
    }
  }

  #expect(sign: string): void {
    if (this.#next() !== sign) throw new Stop(`Expecting '${sign}' delimiter`, this.#at)
    this.#at++
  }

  #string(): void {
    const start = this.#at++
    for (;;) {
      this.#skip(PLAIN)
      const next = this.#next()
      if (next === undefined) throw new Stop('Unterminated string starting at', start)
      if (next === '"') return void this.#at++
      if (next !== '\\') throw new Stop('Invalid control character at', this.#at)
      this.#escape(start)
    }
  }

  #escape(start: number): void {
    const sign = this.#text[this.#at + 1]
    if (sign === undefined) throw new Stop('Unterminated string starting at', start)
    if (sign === 'u') {
      // (The original requires a character after the four digits.)
      if (!/^[0-9a-fA-F]{4}[^]$/.test(this.#text.slice(this.#at + 2, this.#at + 7)))
        throw new Stop('Invalid \\uXXXX escape', this.#at + 1)
      this.#at += 6
      return
    }
    if (!'"\\/bfnrt'.includes(sign)) throw new Stop('Invalid \\escape', this.#at)
    this.#at += 2
  }
}
