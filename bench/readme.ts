/**
 * Bench. `npm run bench:readme`: puts the newest results file into bench/README.md, and a summary
 * into README.md, each between the two marks. Nobody writes figures there by hand.
 *
 * Rules:
 * 1. Only the results of a whole run count, with all rows.
 * 2. Those on other runtimes than Node alone have a place of their own in bench/README.md.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { PROJECT } from './machine.ts'
import { nameOfNode, runtimeOf } from './nodes.ts'
import { newestResults, type Results, type RowResult, times } from './results.ts'
import { marksOf, replaceSection } from './sections.ts'
import { markdown } from './table.ts'

/** The rows of the summary: what is as fast, what is faster, what is slower, and what it costs. */
const SUMMARY: readonly string[] = ['lines-100', 'fast-100', 'tls-100', 'frames', 'connect', 'idle']

/** The results for README.md: how many times as good as a server by hand, on each Node. */
function summary({ build, machine, rows }: Results): string {
  const nodes = [...new Set(rows.map(({ node }) => node))]
  const lines = SUMMARY.map(name => {
    const all = rows.filter(row => row.name === name)
    const cells = nodes.map(node => timesOf(all.find(row => row.node === node)))
    return `| ${[all[0]?.title, ...cells].join(' | ')} |`
  })
  const what = `times as good as by hand (commit ${build.commit}, ${machine.cpu})`
  const heads = nodes.map(nameOfNode)
  const head = `| ${[what, ...heads].join(' | ')} |`
  return [head, `|---${'|--:'.repeat(nodes.length)}|`, ...lines].join('\n')
}

function timesOf(row: RowResult | undefined): string {
  if (row === undefined) return '-'
  const { sluice, tuned } = row.outcomes
  return times(row.unit, sluice.median, tuned.median).rate?.toFixed(2) ?? '-'
}

function isOnOthers({ rows }: Results): boolean {
  return rows.every(({ node }) => runtimeOf(node) !== 'Node')
}

function main(): string | undefined {
  const whole = newestResults(results => results.plan.isWhole && !isOnOthers(results))
  const others = newestResults(isOnOthers)
  if (whole === undefined && others === undefined)
    return 'there are no results of a whole run in bench/results/: run npm run bench -- --json'
  const pages = [
    ['bench/README.md', 'bench', whole, markdown],
    ['README.md', 'bench', whole, summary],
    ['bench/README.md', 'runtimes', others, markdown],
  ] as const
  for (const [name, place, results, write] of pages) {
    if (results === undefined) continue
    const page = new URL(name, PROJECT)
    const text = replaceSection(readFileSync(page, 'utf8'), place, write(results))
    const { begin, end } = marksOf(place)
    if (text === undefined)
      return `${name} must have the lines ${begin} and ${end}, once each and in this order`
    writeFileSync(page, text)
    const date = results.date.slice(0, 16).replace('T', ' ')
    console.log(`${name}: the results of ${date} UTC, commit ${results.build.commit}`)
  }
  return undefined
}

const fault = main()
if (fault !== undefined) {
  console.error(`bench:readme: ${fault}`)
  process.exitCode = 1
}
