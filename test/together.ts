/**
 * Runs the tests of some folders in one process, file after file. Starting a process under tap and
 * loading all of src/ takes a second of processor time, which is more than most of these tests need
 * themselves. The files of all/ say which processes there are. Tap starts them in the order of
 * their names, three at once: what takes longest is first.
 *
 * Each file of src/ is still covered by its own test alone. V8 counts from zero after each take, so
 * a take gives what some tests did of which none can run what another is about (see batches.ts),
 * and only the files under test are kept of it. All files of src/ are evaluated before the first
 * test is imported; that evaluation counts for each of them. Optimized code does not count, so
 * nothing is optimized then: starting to count again for each test throws it away as well, but what
 * all tests use is slow again then, which takes longer.
 *
 * Every test also runs by itself: npx tap .build/test/core/time/timers.test.js
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Profiler, Session } from 'node:inspector'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import t from 'tap'
import { type Batched, batchesOf } from './batches.ts'
import { ROOT } from './built.ts'

type Covered = Profiler.ScriptCoverage

const BUILD = `${ROOT}.build/`

/**
 * Tests that need a process of their own: their file runs in processes that the test starts, in
 * which only tap can count.
 */
export const ALONE = ['io/diagnostics']

/** Tests of what a process does once, or has registered: they are the first. */
const FIRST = ['io/heap', 'envelope/envelope-check']

/** Files that do their work when they are imported: their tests are the first to do so. */
const PROGRAMS = /^commands\/\w+\/main$/

/** Tests that read all of src/ by the compiler, which takes long when it is not optimized. */
const READERS = ['exports', 'documented-defaults', 'layers']

/** The file of src/ that a test of another name is about. */
const OTHER_NAMES: Readonly<Record<string, string>> = { exports: 'index' }

/**
 * Runs the tests of these folders and of the folders in them, except those of ALONE. `which`: only
 * those with such names. The folder '' is test/ itself, without its folders.
 */
export async function together(folders: readonly string[], which = /./): Promise<void> {
  const names = folders.flatMap(testsIn).filter(name => !ALONE.includes(name) && which.test(name))
  const sources = names
    .filter(name => !PROGRAMS.test(name))
    .map(sourceOf)
    .filter(source => source !== undefined)

  const isCounted = process.env['TAP'] !== undefined && process.env['TAP_DISABLE_COVERAGE'] !== '1'
  const coverage = isCounted && sources.length > 0 ? new Coverage() : undefined
  for (const source of sources) await import(pathToFileURL(source).href)
  const group = folders.join('-')
  report(`${group}.evaluated`, coverage?.take(sources))
  const covered: Covered[] = []
  const run = runner()
  for (const batch of inBatches(names, coverage !== undefined)) {
    for (const { name } of batch) await run(name)
    covered.push(...(coverage?.take(batch.flatMap(({ source }) => source ?? [])) ?? []))
  }
  report(group, covered)
  coverage?.stop()
  for (const name of names.filter(name => READERS.includes(name))) await run(name)
}

interface Unit extends Batched {
  readonly name: string
}

/** The tests in the order in which they run. Coverage is taken after each batch. */
function inBatches(names: readonly string[], isCounted: boolean): Unit[][] {
  const tests = names
    .filter(name => !READERS.includes(name))
    .map(name => ({ name, file: `${BUILD}test/${name}.test.js`, source: sourceOf(name) }))
  const first = tests.filter(({ name }) => FIRST.includes(name))
  const others = tests.filter(({ name }) => !FIRST.includes(name))
  return [...first.map(test => [test]), ...(isCounted ? batchesOf(others) : [others])]
}

/** Returns what runs one test to its end, with what its file wants done then. */
function runner(): (name: string) => Promise<void> {
  const teardowns = catchTeardowns()
  return async name => {
    await import(pathToFileURL(`${BUILD}test/${name}.test.js`).href)
    // Subtests run one after the other: when this one has its turn, those of the file are done.
    await t.test(`end of ${name}.test.js`, async () => {})
    for (const teardown of teardowns.splice(0)) await teardown()
  }
}

/** The tests of a folder and of those in it, as 'io/memory/hub'. */
function testsIn(folder: string): string[] {
  return (readdirSync(`${ROOT}test/${folder}`, { recursive: folder !== '' }) as string[])
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(folder, name).replaceAll('\\', '/').slice(0, -'.test.ts'.length))
    .sort()
}

/** The file of src/ that a test is about. */
function sourceOf(name: string): string | undefined {
  const path = `${BUILD}src/${OTHER_NAMES[name] ?? name}.js`
  return existsSync(path) ? path : undefined
}

/**
 * What a file wants done when its tests have ended. A teardown of tap's would be done at the end of
 * the process, and tap ends as soon as nothing is queued if one was asked for.
 */
function catchTeardowns(): (() => unknown)[] {
  const teardowns: (() => unknown)[] = []
  t.teardown = teardown => void teardowns.push(teardown)
  return teardowns
}

/** Counts what runs, from now on. */
class Coverage {
  readonly #session = new Session()

  constructor() {
    // Optimized code does not count.
    for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag)
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** What of these files ran since the last call. */
  take(files: readonly string[]): Covered[] {
    const urls = files.map(file => pathToFileURL(file).href)
    let covered: Covered[] = []
    // A session with one's own thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error
      covered = result.filter(({ url }) => urls.includes(url))
    })
    return covered
  }

  /** What runs from now on is as fast as ever. */
  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    for (const flag of ['--opt', '--maglev']) setFlagsFromString(flag)
  }
}

/**
 * Adds to what tap reports on when all tests have ended: each file there is one of V8's reports.
 */
function report(name: string, result: readonly Covered[] = []): void {
  if (result.length === 0) return
  const folder = `${ROOT}.tap/coverage`
  mkdirSync(folder, { recursive: true })
  const maps = Object.fromEntries(result.map(({ url }) => [url, sourceMap(url)]))
  writeFileSync(`${folder}/${name}.json`, JSON.stringify({ result, 'source-map-cache': maps }))
}

function sourceMap(url: string): unknown {
  const code = readFileSync(fileURLToPath(url), 'utf8')
  const data = JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8'))
  data.sources = data.sources.map((source: string) => new URL(source, url).href)
  return { lineLengths: code.split(/\n|\u2028|\u2029/).map(line => line.length), data }
}
