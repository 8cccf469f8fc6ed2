/**
 * The suites on another runtime: node .build/test/runtimes/main.js NAME PROGRAM [--record] [FILE…]
 *
 * NAME is bun or deno, PROGRAM its program; FILE is a test without its ending, as
 * scenarios/closing. Default: all of SUITES. --record: README's table is made of this run, see
 * table.ts. Each file runs in a process of its own, with the
 * stand-in for tap. A test that fails must have its row in known.ts, and a row must have its
 * failing test: otherwise the command fails. The last line is `NAME VERSION: N passed, …`.
 */

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../built.ts'
import { KNOWN, type Known } from './known.ts'
import { DONE, LEFT_OUT, RESULT, type Result } from './result.ts'
import { record } from './table.ts'

/** The folders whose tests run there. The units below them are covered on Node. */
const SUITES =
  'scenarios protocols messages relay rooms packets envelope pages commands peers'.split(' ')

/** What looks at files of the repository alone, or takes long and differs on no runtime. */
const ELSEWHERE = ['pages/bench', 'pages/pages', 'pages/source']

/** In ms, for one file. The longest takes a third of it on a slow machine. */
const TIMEOUT = 60_000

/** In ms: for output that comes when the process has ended. */
const GRACE = 2000

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

async function main([name = '', command = '', ...rest]: readonly string[]): Promise<void> {
  if (!(name in ARGUMENTS) || !existsSync(command))
    throw new TypeError('usage: main.js bun|deno PROGRAM [--record] [FILE…]')
  const files = rest.filter(each => each !== '--record')
  const rows = KNOWN.filter(row => row.on === name)
  const all = (files.length > 0 ? files : SUITES.flatMap(testsIn)).filter(
    file => !rows.some(row => row.file === file && row.test === undefined),
  )
  const known = rows.filter(row => all.includes(row.file))
  const sum = new Report(known)
  await runAll(all, async file => {
    const begin = performance.now()
    const results = await run(name, command, file)
    sum.add(file, results, Math.round((performance.now() - begin) / 1000))
  })
  const faults = sum.end()
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))
  console.log(`${name} ${version}: ${sum.passed} passed, ${faults} failed, ${known.length} known`)
  if (rest.includes('--record'))
    record(name, { version: `${version}`, files: all.length, passed: sum.passed })
  process.exitCode = faults > 0 ? 1 : 0
}

/** The tests of a folder and of those in it, as 'scenarios/closing'. */
function testsIn(folder: string): string[] {
  return (readdirSync(`${ROOT}test/${folder}`, { recursive: true }) as string[])
    .filter(name => name.endsWith('.test.ts'))
    .map(name => `${folder}/${name.slice(0, -'.test.ts'.length)}`)
    .filter(name => !ELSEWHERE.includes(name))
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
  const leftOut = KNOWN.filter(
    row => row.on === name && row.file === file && row.isLeftOut === true,
  )
  const env = { ...process.env, [LEFT_OUT]: leftOut.map(row => row.test!.source).join('|') }
  // A group of its own: what a test has started must end with it, or its output never ends.
  const child = spawn(command, argv, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 2],
  })
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), TIMEOUT)
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', text => (out += text))
  child.on('exit', () => setTimeout(() => child.stdout!.destroy(), GRACE).unref())
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const lines = out.split('\n')
      const results = lines
        .filter(line => line.startsWith(RESULT))
        .map(line => JSON.parse(line.slice(RESULT.length)) as Result)
      if (!lines.includes(DONE)) {
        const why = `it did not come to its end: ${code ?? signal}`
        results.push({ path: [], passed: 0, faults: [why] })
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
    this.#unseen = new Set(known.filter(row => !row.sometimes && !row.isLeftOut))
  }

  add(file: string, results: readonly Result[], seconds: number): void {
    const passed = results.reduce((sum, result) => sum + result.passed, 0)
    this.passed += passed
    const failed = results.filter(({ faults }) => faults.length > 0)
    const unknown = failed.filter(({ path }) => !this.#isKnown(file, path.join(' > ')))
    console.log(`${unknown.length > 0 ? 'not ok' : 'ok'} ${file}: ${passed} passed in ${seconds} s`)
    for (const { path, faults } of unknown) {
      console.log(`  - ${path.join(' > ') || 'outside of tests'}`)
      for (const fault of faults) console.log(fault.replace(/^/gm, '    '))
    }
    this.#faults += unknown.length
  }

  #isKnown(file: string, title: string): boolean {
    const rows = this.#known.filter(row => row.file === file && row.test?.test(title))
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
