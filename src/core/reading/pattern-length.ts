/**
 * Layer 1. longestMatch: how long a match of a RegExp can be, read from its source. matchEnd: what
 * its last character can be.
 *
 * A search that found nothing need not begin anew when more text comes: it goes on where a match
 * could still begin. If a match may have any length, it need not go on before a character comes
 * with which a match can end.
 *
 * Rules:
 * 1. The answer is never too small. Where what precedes or follows a match counts (`^`, `$`, `\b`,
 *    look-around), where a part refers to another one, or where the source has something that this
 *    file does not know, the answer is Infinity.
 * 2. Likewise no last character is left out. What follows a match must not count: `^` may be there.
 * 3. Each method reads one part of the grammar and returns what is known of it.
 */

/** The most characters of a match; Infinity if there is no bound, or if it is not known. */
export function longestMatch(pattern: RegExp): number {
  // With v, one character class may match several characters.
  return pattern.flags.includes('v') ? Infinity : new Source(pattern).choice().most
}

/** Matches the characters with which a match can end; `undefined` if they are not known. */
export function matchEnd(pattern: RegExp): RegExp | undefined {
  if (pattern.flags.includes('v')) return undefined
  const source = new Source(pattern)
  const { ends } = source.choice()
  return source.isKnown && ends.length > 0
    ? new RegExp(ends.join('|'), pattern.flags.replace(/[gy]/g, ''))
    : undefined
}

/** What is known of a part of a RegExp. */
interface Part {
  /** The most characters that it matches. */
  readonly most: number
  /** Sources for what its last character can be. */
  readonly ends: readonly string[]
  /** May it match the empty string? Then what precedes it may be the end of the whole, too. */
  readonly mayBeEmpty: boolean
}

/** The escapes that match one character. Those of the second kind need the flag u. */
const ESCAPE = /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|[^bBkc1-9])/y
const UNICODE_ESCAPE = /\\(?:u\{[\da-fA-F]+\}|[pP]\{[^}]*\})/y

const CLASS = /\[(?:\\[^]|[^\]\\])*\]/y

/** The beginning of a group that matches what its content matches, and nothing else. */
const GROUP = /\((?:\?:|\?<(?![=!])[^>]*>)?(?!\?)/y

const CHARACTER = /[^\\^$(]/y

const TIMES = /\{(\d+)(?:(,)(\d*))?\}/y

class Source {
  readonly #text: string
  readonly #isUnicode: boolean
  #at = 0
  #isKnown = true

  constructor({ source, flags }: RegExp) {
    this.#text = source
    this.#isUnicode = flags.includes('u')
  }

  /** Was everything understood? */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Alternatives, up to the end of their group or of the source. */
  choice(): Part {
    let { most, ends, mayBeEmpty } = this.#sequence()
    while (this.#take(/\|/y)) {
      const other = this.#sequence()
      most = Math.max(most, other.most)
      ends = [...ends, ...other.ends]
      mayBeEmpty ||= other.mayBeEmpty
    }
    return { most, ends, mayBeEmpty }
  }

  #sequence(): Part {
    let most = 0
    let ends: readonly string[] = []
    let mayBeEmpty = true
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      const atom = this.#atom()
      const times = this.#times()
      // Infinity times 0 is no number.
      if (times.most > 0 && atom.most > 0) most += atom.most * times.most
      const isOptional = atom.mayBeEmpty || times.least === 0
      ends = isOptional ? [...ends, ...atom.ends] : atom.ends
      mayBeEmpty &&= isOptional
    }
    return { most, ends, mayBeEmpty }
  }

  #atom(): Part {
    if (this.#take(GROUP)) {
      const part = this.choice()
      this.#at++
      return part
    }
    const character =
      (this.#isUnicode ? this.#take(UNICODE_ESCAPE) : null) ??
      this.#take(ESCAPE) ??
      this.#take(CLASS) ??
      this.#take(CHARACTER)
    if (character !== null) return { most: 1, ends: [character[0]], mayBeEmpty: false }
    if (!this.#take(/\^/y)) {
      this.#isKnown = false
      this.#at = this.#text.length
    }
    return { most: Infinity, ends: [], mayBeEmpty: true }
  }

  /** How often the atom before it may match. */
  #times(): { least: number; most: number } {
    const found = this.#take(/[*+?]/y) ?? this.#take(TIMES)
    if (found === null) return { least: 1, most: 1 }
    // Lazy or not, it may match as much.
    this.#take(/\?/y)
    const [sign, count, comma, most] = found
    if (count === undefined)
      return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity }
    const least = Number(count)
    return { least, most: comma === undefined ? least : Number(most || Infinity) }
  }

  #take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.#at
    const found = what.exec(this.#text)
    if (found !== null) this.#at = what.lastIndex
    return found
  }
}
