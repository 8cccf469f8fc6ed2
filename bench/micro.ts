/**
 * Bench. `npm run bench:micro`: the core without sockets. First counts, then times; with `--counts`
 * the counts alone. Every Node has a process of its own (micro/child.ts).
 *
 * Exit codes: 0 done, 1 a count is over its bound, 2 the command line is invalid.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMMON_OPTIONS, parseArguments, UsageError } from '../src/commands/usage.ts'
import type { Count } from './micro/counts.ts'
import { type Subject, type Time, times } from './micro/times.ts'
import { findNodes, labelNodes } from './nodes.ts'
import { Child, endAll } from './processes.ts'

const HELP = `Usage: npm run bench:micro -- [options]

Counts what the core does (system calls, copies, allocations), then measures
its parts without sockets.

  --counts        only the counts, which do not depend on time
  --node <which>  run on this Node: a version that npm can fetch, for example
                  20 or latest, or a path. May be given several times: they
                  take turns. Default: the Node that runs the bench
  --help, -h      print this text

Exit codes: 0 done, 1 a count is over its bound, 2 the command line is invalid.
`

/** A young generation that holds all that is allocated while something is counted. */
const FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=64']

/** Milliseconds that counting may take. */
const PATIENCE = 60_000

interface CountOnNode extends Count {
  readonly label: string
}

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArguments({
    args: [...argv],
    options: {
      help: COMMON_OPTIONS.help,
      counts: { type: 'boolean' },
      node: { type: 'string', multiple: true },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-micro-'))
  cleanUpAtTheEnd(folder)
  const nodes = findNodes(values.node ?? [], folder)
  const labels = labelNodes(nodes.map(({ version }) => version))
  const subjects = nodes.map(({ path, version }) => ({
    label: labels.get(version) as string,
    child: new Child(`Node ${version.slice(1)}`, {
      program: 'micro/child',
      node: path,
      flags: FLAGS,
    }),
  }))
  const over = await count(subjects)
  if (values.counts !== true) await time(subjects)
  endAll()
  for (const { label, what, count, bound, reason } of over)
    console.error(`bench:micro: Node ${label}: ${what} is ${count}, at most ${bound}: ${reason}`)
  return over.length > 0 ? 1 : 0
}

function cleanUpAtTheEnd(folder: string): void {
  process.on('exit', () => {
    endAll()
    rmSync(folder, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
}

/** Prints the counts; resolves with those that are over their bounds. */
async function count(subjects: readonly Subject[]): Promise<CountOnNode[]> {
  const counted: CountOnNode[][] = []
  for (const { label, child } of subjects) {
    const all = await child.ask<Count[]>('counts', PATIENCE)
    counted.push(all.map(each => ({ ...each, label })))
  }
  console.log(countCells('count', 'Node', 'is', 'at most'))
  const inOrder = (counted[0] as CountOnNode[]).flatMap((_, index) =>
    counted.map(all => all[index] as CountOnNode),
  )
  for (const each of inOrder) {
    const { what, label, count, bound } = each
    console.log(countCells(what, label, `${count}`, `${bound}`) + (isOver(each) ? '  OVER' : ''))
  }
  return inOrder.filter(isOver)
}

/** Prints the times. */
async function time(subjects: readonly Subject[]): Promise<void> {
  console.log(`\n${timeCells('nanoseconds each', 'Node', 'min', 'median', 'CPU', 'a layer')}`)
  for (const each of await times(subjects)) console.log(timeLine(each))
}

function timeLine({ what, label, min, median, cpu, layer }: Time): string {
  const figures = [min, median, cpu, layer].map(each => each?.toFixed(1) ?? '')
  return timeCells(what, label, ...figures).trimEnd()
}

function countCells(what: string, label: string, ...cells: readonly string[]): string {
  return what.padEnd(66) + label.padEnd(8) + cells.map(each => each.padStart(9)).join('')
}

function timeCells(what: string, label: string, ...cells: readonly string[]): string {
  return what.padEnd(56) + label.padEnd(8) + cells.map(each => each.padStart(9)).join('')
}

function isOver({ count, bound }: Count): boolean {
  return !(count <= bound)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench:micro: ${error.message} (--help lists the options)`)
  process.exitCode = 2
}
