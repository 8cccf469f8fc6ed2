/**
 * The table of README's support part, made of what was run: npm run runtimes:table
 *
 * results.json has what `main.js NAME PROGRAM --record` counted; known.ts has what does not hold.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { ROOT } from '../built.ts'
import { KNOWN, type Known, OF_TESTS } from './known.ts'

/** What one run has counted. */
export interface Counts {
  readonly version: string
  readonly files: number
  /** How many assertions have held. */
  readonly passed: number
}

type Name = Known['on']

const TITLES: Readonly<Record<Name, string>> = { bun: 'Bun', deno: 'Deno' }
const RESULTS = `${ROOT}test/runtimes/results.json`
const README = `${ROOT}README.md`
const BEGIN = '<!-- what npm run runtimes:table writes -->\n\n'
const END = '\n<!-- end of it -->'

export function resultsOf(): Record<string, Counts> {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Counts>
}

export function record(name: string, counts: Counts): void {
  writeFileSync(RESULTS, `${JSON.stringify({ ...resultsOf(), [name]: counts }, null, 2)}\n`)
}

/** README with the table of these results. */
export function withTable(text: string, results: Readonly<Record<string, Counts>>): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error('README has no place for the table of runtimes')
  return text.slice(0, from) + BEGIN + tableOf(results) + text.slice(to)
}

function tableOf(results: Readonly<Record<string, Counts>>): string {
  const rows = Object.entries(TITLES).map(([name, title]) => {
    const { version, files, passed } = results[name]!
    const all = KNOWN.filter(row => row.on === name && !OF_TESTS.has(row.why)).map(row => row.why)
    const holds = `${passed} assertions in ${files} files`
    return `| ${title} ${version} | ${holds} | ${[...new Set(all)].join('; ')} |\n`
  })
  return `| runtime | holds | does not hold there, as |\n|---|---|---|\n${rows.join('')}`
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), resultsOf()))
