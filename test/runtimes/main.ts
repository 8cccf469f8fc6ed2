/**
 * The suites on another runtime: node .build/test/runtimes/main.js NAME COMMAND [FILE…]
 *
 * NAME is bun or deno, COMMAND its program; FILE is a test without its ending, as
 * scenarios/closing. Default: all of SUITES. Each file runs in a process of its own, with the
 * stand-in for tap. A test that fails must have its row in known.ts, and a row must have its
 * failing test: otherwise the command fails. The last line is `NAME VERSION: N passed, …`.
 */

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
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
  deno: ['run', '--allow-all', '--quiet', `--import-map=${HERE}deno.json`],
}

interface Outcome {
  readonly file: string
  readonly results: readonly Result[]
}

async function main([name = '', command = '', ...files]: readonly string[]): Promise<void> {
  if (!(name in ARGUMENTS) || !existsSync(command))
    throw new TypeError('usage: node .build/test/runtimes/main.js bun|deno PROGRAM [FILE…]')
  const imports = { tap: new URL('stand-in.js', import.meta.url).href }
  writeFileSync(`${HERE}deno.json`, JSON.stringify({ imports }))
  const all = files.length > 0 ? files : SUITES.flatMap(testsIn)
  const outcomes = await runAll(all, file => run(name, command, file))
  const known = KNOWN.filter(row => row.on === name && all.includes(row.file))
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))
  const faults = report(outcomes, known)
  const passed = outcomes.flatMap(({ results }) => results).reduce((sum, r) => sum + r.passed, 0)
  console.log(`${name} ${version}: ${passed} passed, ${faults} failed, ${known.length} known`)
  process.exitCode = faults > 0 ? 1 : 0
}

/** The tests of a folder and of those in it, as 'scenarios/closing'. */
function testsIn(folder: string): string[] {
  return (readdirSync(`${ROOT}test/${folder}`, { recursive: true }) as string[])
    .filter(name => name.endsWith('.test.ts') && name !== 'all.test.ts')
    .map(name => `${folder}/${name.slice(0, -'.test.ts'.length)}`)
    .sort()
}

/** Runs the files, a few at once, and hands back what came of each, in their order. */
async function runAll(
  files: readonly string[],
  runOne: (file: string) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = files.entries()
  const take = async (): Promise<void> => {
    for (const [at, file] of waiting) outcomes[at] = await runOne(file)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, take))
  return outcomes
}

function run(name: string, command: string, file: string): Promise<Outcome> {
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
      resolve({ file, results })
    })
  })
}

/** Prints what is not as known.ts says. Returns how many such tests and rows there are. */
function report(outcomes: readonly Outcome[], known: readonly Known[]): number {
  const unseen = new Set(known)
  let count = 0
  for (const { file, results } of outcomes) {
    const passed = results.reduce((sum, result) => sum + result.passed, 0)
    const faults = results.filter(result => result.faults.length > 0)
    console.log(`${faults.length > 0 ? '-' : 'ok'} ${file}: ${passed} passed`)
    for (const { path, faults: messages } of faults) {
      const title = path.join(' > ')
      const rows = known.filter(row => row.file === file && row.test.test(title))
      for (const row of rows) unseen.delete(row)
      if (rows.length > 0) continue
      count++
      console.log(`  not ok ${title || 'outside of tests'}`)
      for (const message of messages) console.log(message.replace(/^/gm, '    '))
    }
  }
  for (const { file, test, why } of unseen) {
    count++
    console.log(`not true any more: ${file} ${test} fails because ${why}`)
  }
  return count
}

await main(process.argv.slice(2))
