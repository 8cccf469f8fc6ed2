/**
 * Layer 1. The format strings of `Struct` and `NetStruct`: how one is read, once per format.
 *
 * Order: parseFormat (text → items), then layOut (items → fields at their offsets). Messages are
 * read and written by struct-values.ts.
 *
 * Rule: everything that depends on the format alone is decided here. Reading and writing a message
 * walks a flat list of fields and looks nothing up.
 */

import { StructError, show } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { type Code, CODES, type Codec, type Order } from './struct-codes.ts'

/** One item of a format: `4H` is one item of count 4. */
export interface Item {
  readonly code: string
  /** The count before the code; 1 if there is none. */
  readonly count: number
  /** Was a count written? `1$` is refused and `$` is not. */
  readonly counted: boolean
  /** The index of the code in the format, for messages. */
  readonly position: number
}

/** A format that was read. */
export interface Format {
  /** How messages about it begin: the class and the format. */
  readonly where: string
  readonly order: Order
  readonly items: readonly Item[]
}

/** One value of a message: its place, and how it is read and written. */
export interface Field extends Codec {
  readonly code: string
  /** Counted from the start of the layout. */
  readonly offset: Bytes
}

/** Fields that follow each other. */
export interface Layout {
  readonly fields: readonly Field[]
  /** The bytes that they take together, pads included. */
  readonly size: Bytes
}

/**
 * The most values of one message: they become the arguments of `on_read`, and V8 fails at some
 * 120 000 arguments.
 */
const MAX_VALUES = 65_535

/** The most bytes of one message: what a Buffer of every 64-bit Node can hold. */
const MAX_SIZE: Bytes = 2 ** 31 - 1

/**
 * The order of this machine, found without node:os, which core/ does not import: the first byte of
 * a 1 is 1 on a little-endian machine.
 */
const NATIVE = (1 - new Uint8Array(new Uint16Array([1]).buffer)[0]!) as Order

const ORDERS: Readonly<Record<string, Order>> = { '<': 0, '>': 1, '!': 1, '=': NATIVE }

const LATE_MARK = 'a byte order mark is allowed only at the start'

/** Characters that are refused although Python or a reader might expect them, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  '@': 'native sizes and alignment differ from machine to machine; use =, <, > or !',
  n: 'its size differs from machine to machine; use q',
  N: 'its size differs from machine to machine; use Q',
  P: 'a pointer means nothing to a peer; use Q',
  p: 'Pascal strings are not supported; use s, or B$ in a NetStruct',
  e: 'half-precision floats are not supported; use f',
  '<': LATE_MARK,
  '>': LATE_MARK,
  '!': LATE_MARK,
  '=': LATE_MARK,
  ' ': 'a count must be followed by its code directly',
  $: 'only a NetStruct has it',
}

// ---- text → items -------------------------------------------------------------------------------

/**
 * White space where Python allows it, then the count, then the code. Matches the empty string at
 * the end of a format.
 */
const ITEM = /[ \t-\r]*(\d*)(\D?)/gu

/**
 * Reads a format string. `kind` is the class it belongs to (only a NetStruct has `$`), `unmarked`
 * the byte order mark that is assumed if the format has none.
 *
 * Throws StructError (ERR_STRUCT) for an invalid format, naming the format, the fault and its
 * position.
 */
export function parseFormat(
  kind: 'Struct' | 'NetStruct',
  format: string,
  unmarked: '=' | '!',
): Format {
  if (typeof format !== 'string')
    throw new StructError(`${kind}: a format must be a string; got ${show(format)}`)
  const where = `${kind} ${show(format)}`
  const marked = format.charAt(0) in ORDERS
  const start = marked ? 1 : 0
  const items: Item[] = []
  let size: Bytes = 0
  let values = 0
  for (const match of format.slice(start).matchAll(ITEM)) {
    const [whole, digits, code] = match as unknown as [string, string, string]
    if (digits === '' && code === '') break
    const position = start + match.index + whole.length - code.length
    const row = lookUp(kind, where, code, position)
    const count = digits === '' ? 1 : Number(digits)
    size += count * row.size
    values += row.codec === undefined ? 0 : row.single ? 1 : count
    // Before anything is expanded: '9999999999b' must not become an array.
    checkMost(`${where}: more than`, size, values, position)
    items.push({ code, count, counted: digits !== '', position })
  }
  return { where, order: ORDERS[marked ? format.charAt(0) : unmarked]!, items }
}

function checkMost(what: string, size: Bytes, values: number, position: number): void {
  if (size > MAX_SIZE) throw new StructError(`${what} ${MAX_SIZE} bytes at position ${position}`)
  if (values > MAX_VALUES)
    throw new StructError(`${what} ${MAX_VALUES} values at position ${position}`)
}

/** Throws StructError if `kind` does not have that code. */
function lookUp(kind: string, where: string, code: string, position: number): Code {
  if (code === '') throw new StructError(`${where}: a count without a code at position ${position}`)
  const row = code === '$' && kind === 'Struct' ? undefined : CODES[code]
  if (row !== undefined) return row
  throw new StructError(
    `${where}: ${show(code)} at position ${position}: ${REFUSED[code] ?? 'unknown code'}`,
  )
}

// ---- items → fields -----------------------------------------------------------------------------

/** Places items one after the other. `$` takes no place: NetStruct takes it out before. */
export function layOut(items: readonly Item[], order: Order): Layout {
  const fields: Field[] = []
  let size: Bytes = 0
  for (const { code, count } of items) {
    const row = CODES[code]!
    if (row.codec !== undefined) {
      const codec = row.codec(order, count)
      const step = row.single ? count : row.size
      for (let left = row.single ? 1 : count; left > 0; left--) {
        fields.push({ code, offset: size, ...codec })
        size += step
      }
    } else size += count * row.size
  }
  return { fields, size }
}
