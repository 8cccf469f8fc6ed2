/**
 * Bench. `npm run bench`: measures sluice beside bare node:net, and prints a table.
 *
 * main → parseOptions → for each row: rounds of sluice, tuned, naive, sluice, … (sample.ts) → the
 * row → the results file.
 *
 * Rules:
 * 1. Servers take turns, so that what the machine does meanwhile, and its heat, meets all of them.
 * 2. A sample that other processes disturbed is taken again, and the better one counts, while there
 *    is time.
 * 3. The exit code is 0 when all was measured, 1 when a server was wrong, 2 when it was wrongly
 *    called, 130 interrupted.
 */

import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { line as makeLine } from './load/batches.ts'
import { build, load, machine } from './machine.ts'
import { HELP, type Options, parseOptions, UsageError } from './options.ts'
import { endAll } from './processes.ts'
import { Progress } from './progress.ts'
import { type Results, type RowResult, summarize, writeResults } from './results.ts'
import { type Contestant, CONTESTANTS, type Row, ROWS } from './rows.ts'
import { DISTURBED, type Plan, type Sample, takeSample } from './sample.ts'
import { footer, header, heads, line } from './table.ts'

/**
 * Milliseconds. In the warm-up V8 compiles what is hot. Longer would be better, but the whole run
 * has to stay under 3 minutes.
 */
const TIMES = { warm_up: 300, window: 230 } as const

/**
 * Milliseconds for each sample that a run may take, all in all: a sample that other processes
 * disturbed is taken again, once, as long as that leaves time for the rest.
 */
const SHARE = 830

/** Bytes of the file to be sent. */
const FILE_SIZE = 2 ** 20

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.isHelp) {
    process.stdout.write(HELP)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  cleanUpAtTheEnd(folder)
  const file = join(folder, 'file')
  writeFileSync(
    file,
    Buffer.concat(Array.from({ length: FILE_SIZE / 1024 }, (_, id) => makeLine(id, 1024))),
  )
  const results = await measure(options, file)
  if (options.isJson) console.log(`\nwritten: ${writeResults(results)}`)
  return results.rows.some(row => CONTESTANTS.some(each => row.outcomes[each].fault !== null))
    ? 1
    : 0
}

function cleanUpAtTheEnd(folder: string): void {
  process.on('exit', () => {
    endAll()
    rmSync(folder, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
}

async function measure(options: Options, file: string): Promise<Results> {
  const { rounds, rows } = options
  const before = load()
  const about = {
    date: new Date().toISOString(),
    machine: machine(),
    build: build(),
    plan: { rounds, ...TIMES, isWhole: rows.length === ROWS.length },
  }
  console.log(`${header({ ...about, load: { before, after: before } })}\n\n${heads()}`)
  const plan: Plan = { ...TIMES, isPinned: about.machine.isPinned, file }
  const contestants = rows.reduce((sum, row) => sum + Object.keys(row.programs).length, 0)
  const progress = new Progress(rounds * contestants, SHARE)
  const measured: RowResult[] = []
  for (const row of rows) {
    const result = summarize(row, await measureRow(row, rounds, plan, progress))
    progress.clear()
    console.log(line(result))
    measured.push(result)
  }
  console.log(`\n${footer(measured)}`)
  return { ...about, load: { before, after: load() }, rows: measured }
}

async function measureRow(
  row: Row,
  rounds: number,
  plan: Plan,
  progress: Progress,
): Promise<Record<Contestant, Sample[]>> {
  const samples: Record<Contestant, Sample[]> = { sluice: [], tuned: [], naive: [] }
  const ours = {
    ...plan,
    warm_up: plan.warm_up * (row.warm_up ?? 1),
    isPinned: plan.isPinned && row.isFree !== true,
  }
  for (let round = 0; round < rounds; round++) {
    for (const each of CONTESTANTS) {
      const program = row.programs[each]
      if (program === undefined) continue
      progress.begin(`${row.name}, ${each}, round ${round + 1} of ${rounds}`)
      // Who has failed once is not asked again: a failure may take as long as patience does.
      if (samples[each].some(sample => 'fault' in sample)) continue
      const sample = await takeSample(program, row.load, ours)
      const again =
        disturbance(sample) > DISTURBED && progress.hasTime
          ? await takeSample(program, row.load, ours)
          : sample
      samples[each].push(disturbance(again) < disturbance(sample) ? again : sample)
    }
  }
  return samples
}

/** A fault is none: it would come again, and it has to be seen. */
function disturbance(sample: Sample): number {
  return 'fault' in sample ? 0 : sample.others
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message} (--help lists the options)`)
  process.exitCode = 2
}
