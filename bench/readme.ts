/**
 * Bench. `npm run bench:readme`: puts the newest results file into README.md, between the two
 * marks. Nobody writes figures there by hand.
 *
 * Rule: only a whole run counts (all rows).
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { PROJECT } from './machine.ts'
import { newestResults } from './results.ts'
import { markdown } from './table.ts'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/**
 * The text with what stands between the marks replaced; undefined where the marks are not there,
 * once each and in order.
 */
function replaceSection(text: string, section: string): string | undefined {
  const [before, rest, ...more] = text.split(BEGIN)
  const [, after, ...evenMore] = (rest ?? '').split(END)
  if (before === undefined || after === undefined || more.length + evenMore.length > 0)
    return undefined
  return `${before}${BEGIN}\n${section}\n${END}${after}`
}

function main(): string | undefined {
  const readme = new URL('README.md', PROJECT)
  const results = newestResults()
  if (results === undefined)
    return 'there are no results of a whole run in bench/results/: run npm run bench -- --json'
  const text = replaceSection(readFileSync(readme, 'utf8'), markdown(results))
  if (text === undefined)
    return `README.md must have the lines ${BEGIN} and ${END}, once each and in this order`
  writeFileSync(readme, text)
  console.log(
    `README.md: the results of ${results.date.slice(0, 16).replace('T', ' ')} UTC, commit ${results.build.commit}`,
  )
  return undefined
}

const fault = main()
if (fault !== undefined) {
  console.error(`bench:readme: ${fault}`)
  process.exitCode = 1
}
