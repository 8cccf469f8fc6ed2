/**
 * Bench. The parts of pages that commands write: between two marks.
 */

/** The marks of one part are `<!-- name:begin -->` and `<!-- name:end -->`. */
export type SectionName = 'bench' | 'packets' | 'runtimes'

export function marksOf(name: SectionName): { begin: string; end: string } {
  return { begin: `<!-- ${name}:begin -->`, end: `<!-- ${name}:end -->` }
}

/**
 * The text with a new section between the marks. Undefined unless each mark is there once, in this
 * order.
 */
export function replaceSection(
  text: string,
  name: SectionName,
  section: string,
): string | undefined {
  const { begin, end } = marksOf(name)
  const [before, rest, ...more] = text.split(begin)
  const [, after, ...evenMore] = (rest ?? '').split(end)
  if (before === undefined || after === undefined || more.length + evenMore.length > 0)
    return undefined
  return `${before}${begin}\n${section}\n${end}${after}`
}
