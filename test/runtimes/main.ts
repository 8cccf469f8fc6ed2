/**
 * The suites on another runtime: node .build/test/runtimes/main.js NAME COMMAND [FILE…]
 *
 * NAME is bun or deno, COMMAND its program; FILE is a test without its ending, as
 * scenarios/closing. Default: all of SUITES. Each file runs in a process of its own, with the
 * stand-in for tap. A test that fails must have its row in known.ts, and a row must have its
 * failing test: otherwise the command fails. The last line is `NAME VERSION: N passed, …`.
 */

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../built.ts'
import { KNOWN, type Known } from './known.ts'
import { DONE, RESULT, type Result } from './result.ts'

/** The folders whose tests run there; the units of src/ are covered on Node. */
const SUITES = ['scenarios', 'relay', 'pages', 'commands', 'peers']

/** In ms, for one file. */
const TIMEOUT = 170_000

/** How many files run at once. */
const AT_ONCE = 2

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** What a runtime must be told to load the stand-in instead of tap. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  bun: ['--preload', `${HERE}bun.js`],
  deno: ['run', '--allow-all', '--quiet', `--import-map=${importMap()}`],
}

/** The map by which Deno finds the stand-in, as a URL: no file to be written. */
function importMap(): string {
  const imports = { tap: new URL('stand-in.js', import.meta.url).href }
  return `data:application/json,${encodeURIComponent(JSON.stringify({ imports }))}`
}

async function main([name = '', command = '', ...files]: readonly string[]): Promise<void> {
  if (!(name in ARGUMENTS) || !existsSync(command))
    throw new TypeError('usage: node .build/test/runtimes/main.js bun|deno PROGRAM [FILE…]')
  const all = files.length > 0 ? files : SUITES.flatMap(testsIn)
  const known = KNOWN.filter(row => row.on === name && all.includes(row.file))
  const sum = new Report(known)
  await runAll(all, async file => sum.add(file, await run(name, command, file)))
  const faults = sum.end()
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))
  console.log(`${name} ${version}: ${sum.passed} passed, ${faults} failed, ${known.length} known`)
  process.exitCode = faults > 0 ? 1 : 0
}

/** The tests of a folder and of those in it, as 'scenarios/closing'. */
function testsIn(folder: string): string[] {
  return (readdirSync(`${ROOT}test/${folder}`, { recursive: true }) as string[])
    .filter(name => name.endsWith('.test.ts') && name !== 'all.test.ts')
    .map(name => `${folder}/${name.slice(0, -'.test.ts'.length)}`)
    .sort()
}

/** Runs the files, a few at once. */
async function runAll(
  files: readonly string[],
  runOne: (file: string) => Promise<void>,
): Promise<void> {
  const waiting = files.values()
  const take = async (): Promise<void> => {
    for (const file of waiting) await runOne(file)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, take))
}

function run(name: string, command: string, file: string): Promise<Result[]> {
  const argv = [...ARGUMENTS[name]!, `${ROOT}.build/test/${file}.test.js`]
  const options = { cwd: ROOT, timeout: TIMEOUT, maxBuffer: 256 << 20 }
  return new Promise(resolve => {
    execFile(command, argv, options, (error, out, err) => {
      const lines = out.split('\n')
      const results = lines
        .filter(line => line.startsWith(RESULT))
        .map(line => JSON.parse(line.slice(RESULT.length)) as Result)
      if (!lines.includes(DONE)) {
        const why = `it did not come to its end: ${error?.message.slice(0, 200) ?? ''}`
        results.push({ path: [], passed: 0, faults: [`${why}\n${err.slice(-2000)}`] })
      }
      resolve(results)
    })
  })
}

/** Prints what is not as known.ts says. */
class Report {
  passed = 0
  #faults = 0
  readonly #known: readonly Known[]
  /** The rows that have had no failing test yet. */
  readonly #unseen: Set<Known>

  constructor(known: readonly Known[]) {
    this.#known = known
    this.#unseen = new Set(known)
  }

  add(file: string, results: readonly Result[]): void {
    const passed = results.reduce((sum, result) => sum + result.passed, 0)
    this.passed += passed
    const failed = results.filter(({ faults }) => faults.length > 0)
    const unknown = failed.filter(({ path }) => !this.#isKnown(file, path.join(' > ')))
    console.log(`${unknown.length > 0 ? 'not ok' : 'ok'} ${file}: ${passed} passed`)
    for (const { path, faults } of unknown) {
      console.log(`  - ${path.join(' > ') || 'outside of tests'}`)
      for (const fault of faults) console.log(fault.replace(/^/gm, '    '))
    }
    this.#faults += unknown.length
  }

  #isKnown(file: string, title: string): boolean {
    const rows = this.#known.filter(row => row.file === file && row.test.test(title))
    for (const row of rows) this.#unseen.delete(row)
    return rows.length > 0
  }

  /** Returns how many tests have failed, and rows are untrue. */
  end(): number {
    for (const { file, test, why } of this.#unseen)
      console.log(`not true any more: ${file} ${test} fails because ${why}`)
    return this.#faults + this.#unseen.size
  }
}

await main(process.argv.slice(2))
