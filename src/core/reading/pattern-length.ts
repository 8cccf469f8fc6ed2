/**
 * Layer 1. longestMatch: how long a match of a RegExp can be, read from its source.
 *
 * A search that found nothing need not begin anew when more text comes: it goes on where a match
 * could still begin.
 *
 * Rules:
 * 1. The answer is never too small. Where what precedes or follows a match counts (`^`, `$`, `\b`,
 *    look-around), where a part refers to another one, or where the source has something that this
 *    file does not know, the answer is Infinity.
 * 2. Each method reads one part of the grammar and returns the most characters that it matches.
 */

/** The most characters of a match; Infinity if there is no bound, or if it is not known. */
export function longestMatch(pattern: RegExp): number {
  // With v, one character class may match several characters.
  return pattern.flags.includes('v') ? Infinity : new Source(pattern).choice()
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

  constructor({ source, flags }: RegExp) {
    this.#text = source
    this.#isUnicode = flags.includes('u')
  }

  /** Alternatives, up to the end of their group or of the source. */
  choice(): number {
    let most = this.#sequence()
    while (this.#take(/\|/y)) most = Math.max(most, this.#sequence())
    return most
  }

  #sequence(): number {
    let most = 0
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      const once = this.#atom()
      const times = this.#times()
      // Infinity times 0 is no number.
      if (times > 0 && once > 0) most += once * times
    }
    return most
  }

  #atom(): number {
    if (this.#take(GROUP)) {
      const most = this.choice()
      this.#at++
      return most
    }
    if (this.#isUnicode && this.#take(UNICODE_ESCAPE)) return 1
    if (this.#take(ESCAPE) || this.#take(CLASS) || this.#take(CHARACTER)) return 1
    this.#at = this.#text.length
    return Infinity
  }

  /** How often the atom before it may match. */
  #times(): number {
    const found = this.#take(/[*+?]/y) ?? this.#take(TIMES)
    if (found === null) return 1
    // Lazy or not, it may match as much.
    this.#take(/\?/y)
    const [sign, least, comma, most] = found
    if (least === undefined) return sign === '?' ? 1 : Infinity
    return comma === undefined ? Number(least) : Number(most || Infinity)
  }

  #take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.#at
    const found = what.exec(this.#text)
    if (found !== null) this.#at = what.lastIndex
    return found
  }
}
