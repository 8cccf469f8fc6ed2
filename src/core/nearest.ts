/**
 * Layer 1. nearest: which of the names that exist was probably meant by one that does not. Used
 * wherever a name is refused: an option, a key of an address, a parameter of a URL.
 *
 * Rules:
 * 1. Names are compared without case, `_`, `-` and `.`: `readDelimiter` is `read_delimiter`.
 * 2. No name is better than a wrong one: beyond the bounds below nothing is proposed, and of
 *    several that are as likely none is.
 */

/** Longer names are not compared: a name may come from outside, and comparing is quadratic. */
const LONGEST = 64

/** One letter in three may be wrong, so of a name of two letters none. */
const LETTERS_PER_EDIT = 3

/** A shorter part of a name says too little: `to` is in `proxy_protocol`. */
const SHORTEST_PART = 3

/**
 * The known name with the fewest wrong letters, or undefined if each has too many. A letter too
 * many, too few or another one counts 1, and so do two neighbours that changed places. Of equals
 * the first counts.
 */
export function misspelt(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name)
  let best: string | undefined
  let fewest = Infinity
  for (const each of known) {
    const other = fold(each)
    const most = Math.floor(Math.max(wanted.length, other.length) / LETTERS_PER_EDIT)
    const count = edits(wanted, other)
    if (count > most || count >= fewest) continue
    best = each
    fewest = count
  }
  return best
}

/**
 * The known name that was probably meant: one that is only misspelt, or else the only one that has
 * this name as a part or is a part of it (`delimiter`, `hostname`). A name that is a word of
 * several (`timeout`) means none of them in particular.
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const names = [...known]
  if (withWord(name, names).length > 1) return undefined
  const wanted = fold(name)
  const isPart = (part: string, whole: string): boolean =>
    part.length >= SHORTEST_PART && whole.includes(part)
  const related = names.filter(each => isPart(wanted, fold(each)) || isPart(fold(each), wanted))
  return misspelt(name, names) ?? (related.length === 1 ? related[0] : undefined)
}

/** What a message says after a name that does not exist: the nearest one, or else all of them. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const names = [...known]
  const near = nearest(name, names)
  if (near !== undefined) return `did you mean ${near}?`
  const several = withWord(name, names)
  if (several.length > 1) return `did you mean one of ${several.join(', ')}?`
  return names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`
}

/** The names that consist of this one and of other words, as `read_timeout` of `timeout`. */
function withWord(name: string, names: readonly string[]): string[] {
  if (fold(name) === '' || names.includes(name)) return []
  return names.filter(each => words(each).includes(words(name)))
}

function words(name: string): string {
  return `_${name.toLowerCase().replace(/[-.]/g, '_')}_`
}

function fold(name: string): string {
  // A program may give anything as a name.
  return (typeof name === 'string' ? name : '').toLowerCase().replace(/[-_.]/g, '')
}

/**
 * The number of edits that make one of the other; Infinity if either is too long to be compared.
 */
function edits(one: string, other: string): number {
  if (one.length > LONGEST || other.length > LONGEST) return Infinity
  // Row i, column j: the edits between the first i letters of one and the first j of the other.
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, j) => j)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const swapped = isSwap ? before[j - 2]! + 1 : Infinity
      row.push(Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + change, swapped))
    }
    before = last
    last = row
  }
  return last[other.length]!
}
