/**
 * What runs on Bun and Deno have shown: README's table and the list in the guide's chapter about
 * networks. npm run runtimes:table writes both.
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
const BEGIN = '<!-- what npm run runtimes:table writes -->\n\n'
const END = '\n<!-- end of it -->'

/** What is written, by the page it is in. */
const WRITTEN: Readonly<Record<string, () => string>> = {
  'README.md': tableOfRuns,
  'src/io/README.md': listOfDifferences,
}

export const PAGES: readonly string[] = Object.keys(WRITTEN)

export function resultsOf(): Record<string, Counts> {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Counts>
}

export function record(name: string, counts: Counts): void {
  writeFileSync(RESULTS, `${JSON.stringify({ ...resultsOf(), [name]: counts }, null, 2)}\n`)
}

/** The text of a page, with what belongs into it now. */
export function rewritten(page: string, text: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for what runs have shown`)
  return text.slice(0, from) + BEGIN + WRITTEN[page]!() + text.slice(to)
}

function tableOfRuns(): string {
  const results = resultsOf()
  const rows = Object.entries(TITLES).map(([name, title]) => {
    const { version, files, passed } = results[name]!
    const differences = `[${differencesOf(name).length}](src/io/README.md#other-runtimes)`
    return `| ${title} ${version} | ${passed} in ${files} files | ${differences} |\n`
  })
  return `| runtime | assertions that hold | differences |\n|---|---|---|\n${rows.join('')}`
}

function listOfDifferences(): string {
  const results = resultsOf()
  const lists = Object.entries(TITLES).map(([name, title]) => {
    const items = differencesOf(name).map(why => `- ${why[0]!.toUpperCase()}${why.slice(1)}.\n`)
    return `${title} ${results[name]!.version}:\n\n${items.join('')}`
  })
  return lists.join('\n')
}

function differencesOf(name: string): readonly string[] {
  const rows = KNOWN.filter(row => row.on === name && !OF_TESTS.has(row.why))
  return [...new Set(rows.map(row => row.why))]
}

if (process.argv[1] === import.meta.filename)
  for (const page of PAGES)
    writeFileSync(ROOT + page, rewritten(page, readFileSync(ROOT + page, 'utf8')))
