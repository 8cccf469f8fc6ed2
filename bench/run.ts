/**
 * Bench. `npm run bench`: measures sluice beside bare node:net, or beside another build of itself,
 * and prints a table.
 *
 * main → parseOptions → findNodes → for each row: samples in turn (rounds.ts) → the lines of the
 * row → the results file.
 *
 * Exit codes: 0 all was measured, 1 a server failed, 2 the command line is invalid, 130
 * interrupted.
 */

import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../src/commands/usage.ts'
import { type Builds, makeBuilds } from './builds.ts'
import * as comparing from './comparison.ts'
import { line as makeLine } from './load/batches.ts'
import { build, load, machine } from './machine.ts'
import { findNodes, labelNodes, nameOfNode, type NodeBinary, runtimeOf } from './nodes.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { endAll } from './processes.ts'
import { type Results, type RowResult, summarize, writeResults } from './results.ts'
import { measureRows, type Taken } from './rounds.ts'
import { type Contestant, CONTESTANTS, type Row, ROWS } from './rows.ts'
import type { Entrant, Plan } from './sample.ts'
import { circumstances, footer, header, heads, line, nameOf } from './table.ts'

/**
 * Milliseconds. In the warm-up V8 compiles what is hot. Longer would be better, but the whole run
 * has to stay under 6 minutes.
 */
const TIMES = { warm_up: 300, window: 230 } as const

/** Bytes of the file that servers send. */
const FILE_SIZE = 2 ** 20

/** What a run needs besides its options. */
interface Setting {
  readonly about: Omit<Results, 'rows'>
  readonly plan: Plan
  readonly nodes: readonly NodeBinary[]
  /** The short name of each Node, by its version. */
  readonly labels: ReadonlyMap<string, string>
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.isHelp) {
    process.stdout.write(HELP)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  cleanUpAtTheEnd(folder)
  const { against } = options
  const builds = against === undefined ? undefined : makeBuilds(against, folder)
  const setting = makeSetting(options, folder)
  return builds === undefined ? besideNode(options, setting) : besideBuild(options, setting, builds)
}

function cleanUpAtTheEnd(folder: string): void {
  process.on('exit', () => {
    endAll()
    rmSync(folder, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
}

function makeSetting({ rounds, rows, nodes: wanted }: Options, folder: string): Setting {
  const nodes = findNodes(wanted, folder)
  const file = join(folder, 'file')
  const lines = Array.from({ length: FILE_SIZE / 1024 }, (_, id) => makeLine(id, 1024))
  writeFileSync(file, Buffer.concat(lines))
  const before = load()
  const about = {
    date: new Date().toISOString(),
    machine: machine(),
    build: build(),
    plan: { rounds, ...TIMES, isWhole: rows.length === ROWS.length },
    load: { before, after: before },
  }
  return {
    about,
    plan: { ...TIMES, isPinned: about.machine.isPinned, file },
    nodes,
    labels: labelNodes(nodes.map(({ version }) => version)),
  }
}

// ---- beside node:net ----------------------------------------------------------------------------

interface Contender extends Entrant {
  readonly contestant: Contestant
}

async function besideNode(options: Options, setting: Setting): Promise<number> {
  const { rows, rounds, isJson } = options
  const { about, plan, nodes, labels } = setting
  console.log(`${header(about, [...labels.keys()])}\n\n${heads()}`)
  const entrantsOf = (row: Row): Contender[] => nodes.flatMap(node => contendersOf(row, node))
  const measured: RowResult[] = []
  for await (const [row, taken] of measureRows(rows, entrantsOf, rounds, plan)) {
    for (const { version, own } of byNode(nodes, taken)) {
      const samples = own.map(({ entrant, samples }) => [entrant.contestant, samples] as const)
      const result = summarize(row, version, Object.fromEntries(samples))
      console.log(line(result, labels.get(version) as string))
      measured.push(result)
    }
  }
  console.log(`\n${footer(measured)}`)
  const results = { ...about, load: { ...about.load, after: load() }, rows: measured }
  if (isJson) console.log(`\nwritten: ${writeResults(results)}`)
  const outcomes = measured.flatMap(row => CONTESTANTS.map(each => row.outcomes[each]))
  return outcomes.some(({ fault }) => fault !== null) ? 1 : 0
}

function contendersOf(row: Row, node: NodeBinary): Contender[] {
  if (!isOn(row, node)) return []
  return CONTESTANTS.flatMap(contestant => {
    const program = row.programs[contestant]
    const name = `${contestant} on ${nameOfNode(node.version)}`
    return program === undefined ? [] : [{ name, contestant, program, node }]
  })
}

function isOn({ runtime }: Row, { version }: NodeBinary): boolean {
  return runtime === undefined || runtime === runtimeOf(version)
}

/** What was measured on each Node that the row is about. */
function byNode<E extends Entrant>(
  nodes: readonly NodeBinary[],
  taken: readonly Taken<E>[],
): { version: string; own: readonly Taken<E>[] }[] {
  return nodes
    .map(node => ({ version: node.version, own: taken.filter(each => each.entrant.node === node) }))
    .filter(({ own }) => own.length > 0)
}

// ---- beside another build -----------------------------------------------------------------------

async function besideBuild(options: Options, setting: Setting, builds: Builds): Promise<number> {
  const { rows, rounds } = options
  const { about, plan, nodes, labels } = setting
  const other = `${nameOf(build(builds.other))} in ${builds.other}`
  const above = [`sluice ${nameOf(about.build)} against ${other}`]
  above.push(...circumstances(about, [...labels.keys()]))
  console.log(`${above.join('\n')}\n\n${comparing.heads()}`)
  const entrantsOf = (row: Row): Entrant[] => nodes.flatMap(node => pairOf(row, node, builds))
  const compared: comparing.Comparison[] = []
  for await (const [row, taken] of measureRows(rows, entrantsOf, rounds, plan)) {
    for (const { version, own } of byNode(nodes, taken)) {
      const [ours, theirs] = own.map(({ samples }) => samples)
      const comparison = comparing.compare(row, ours ?? [], theirs ?? [])
      console.log(comparing.line(comparison, labels.get(version) as string))
      compared.push(comparison)
    }
  }
  console.log(`\n${comparing.footer(compared)}`)
  return compared.some(({ faults }) => faults.length > 0) ? 1 : 0
}

/** This build, then the other one. */
function pairOf(row: Row, node: NodeBinary, builds: Builds): Entrant[] {
  if (!isOn(row, node)) return []
  const names = ['this build', 'the other build']
  return builds.programs.map((folder, index) => ({
    name: `${names[index]} on ${nameOfNode(node.version)}`,
    program: row.programs.sluice,
    node,
    folder,
  }))
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message} (--help lists the options)`)
  process.exitCode = 2
}
