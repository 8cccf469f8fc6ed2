/**
 * Bench. `npm run bench:readme`: puts the newest results file into the page that has the two marks,
 * between them. Nobody writes figures there by hand.
 *
 * Rule: only the results of a whole run count, with all rows.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { PROJECT } from './machine.ts'
import { newestResults } from './results.ts'
import { markdown } from './table.ts'

/** The page is the first of these that has the marks. */
const PAGES = ['bench/README.md', 'README.md']

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/**
 * The text with a new section between the marks. Undefined unless each mark is there once, in this
 * order.
 */
function replaceSection(text: string, section: string): string | undefined {
  const [before, rest, ...more] = text.split(BEGIN)
  const [, after, ...evenMore] = (rest ?? '').split(END)
  if (before === undefined || after === undefined || more.length + evenMore.length > 0)
    return undefined
  return `${before}${BEGIN}\n${section}\n${END}${after}`
}

function main(): string | undefined {
  const results = newestResults()
  if (results === undefined)
    return 'there are no results of a whole run in bench/results/: run npm run bench -- --json'
  for (const name of PAGES) {
    const page = new URL(name, PROJECT)
    if (!existsSync(page)) continue
    const text = replaceSection(readFileSync(page, 'utf8'), markdown(results))
    if (text === undefined) continue
    writeFileSync(page, text)
    const date = results.date.slice(0, 16).replace('T', ' ')
    console.log(`${name}: the results of ${date} UTC, commit ${results.build.commit}`)
    return undefined
  }
  return `no page has the lines ${BEGIN} and ${END}, once each and in this order`
}

const fault = main()
if (fault !== undefined) {
  console.error(`bench:readme: ${fault}`)
  process.exitCode = 1
}
