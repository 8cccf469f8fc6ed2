/**
 * Bench. How two builds of sluice compare, row by row, as text of 100 columns.
 *
 * Rules:
 * 1. A ratio is taken in each round, of two samples that were taken one after the other. So what
 *    the machine does in the course of a run is in both of them.
 * 2. A ratio above 1 says that this build is better: less CPU time, more messages, less memory.
 */

import { outcomeOf, times } from './results.ts'
import type { Row } from './rows.ts'
import type { Figures, Sample } from './sample.ts'
import { type Spread, spread } from './spread.ts'
import { cpuTime, legend, marks, ratio, wrap } from './table.ts'

/** A row on one Node: both builds, and how this one is beside the other. */
export interface Comparison {
  readonly row: Pick<Row, 'title' | 'unit'>
  readonly medians: readonly [Figures | null, Figures | null]
  readonly faults: readonly string[]
  /** Null if a build failed, or if it was memory that was measured. */
  readonly cpu: Spread | null
  /** By messages a second, or by memory. Null if a build failed. */
  readonly rate: Spread | null
}

/** Compares the samples of a row, taken of this build and of the other one. */
export function compare(row: Row, ours: readonly Sample[], other: readonly Sample[]): Comparison {
  const [one, two] = [outcomeOf(ours), outcomeOf(other)]
  const faults = [
    ...(one.fault === null ? [] : [`this build failed: ${one.fault}`]),
    ...(two.fault === null ? [] : [`the other build failed: ${two.fault}`]),
  ]
  const pairs =
    faults.length > 0
      ? []
      : one.samples.map((sample, round) => times(row.unit, sample, two.samples[round] ?? null))
  const of = (name: 'cpu' | 'rate'): Spread | null => {
    const values = pairs.map(each => each[name]).filter(each => each !== null)
    return values.length === 0 ? null : spread(values)
  }
  return { row, medians: [one.median, two.median], faults, cpu: of('cpu'), rate: of('rate') }
}

// ---- as text ------------------------------------------------------------------------------------

/** With less confidence, nothing is said of a row. */
const SURE = 0.95

const WIDTH = { title: 33, node: 7, cpu: 8, ratio: 8, spread: 11 } as const

/** The heads of the columns. */
export function heads(): string {
  const { title, node, cpu, ratio, spread } = WIDTH
  const above =
    'CPU us'.padStart(title + node + 2 * cpu) +
    'x by CPU time'.padStart(ratio + spread) +
    'x by rate'.padStart(ratio + spread)
  const x = 'median'.padStart(ratio) + 'spread'.padStart(spread)
  const cpus = 'this'.padStart(cpu) + 'other'.padStart(cpu)
  return `${above}\n${'work'.padEnd(title)}${'Node'.padEnd(node)}${cpus}${x}${x}`
}

/** A row; below it, why a build failed. `label` is the short name of its Node. */
export function line(comparison: Comparison, label: string): string {
  const { row, medians, faults, cpu, rate } = comparison
  const cells = [
    ...medians.map(each => cpuTime(each).padStart(WIDTH.cpu)),
    spreadText(cpu),
    spreadText(rate),
  ].join('')
  const begin = row.title.padEnd(WIDTH.title) + label.padEnd(WIDTH.node)
  const verdict = faults.length > 0 ? 'FAILED' : verdictOf(cpu ?? rate)
  return [
    `${begin}${cells}  ${`${verdict} ${marks(medians)}`.trim()}`.trimEnd(),
    ...faults.map(fault => `    ${fault}`),
  ].join('\n')
}

function spreadText(value: Spread | null): string {
  const range = value === null ? '-' : `${ratio(value.low)}-${ratio(value.high)}`
  return ratio(value?.median ?? null).padStart(WIDTH.ratio) + range.padStart(WIDTH.spread)
}

/** Nothing is said if the spread has 1 in it, or if there were too few rounds to be sure. */
function verdictOf(value: Spread | null): string {
  if (value === null || value.confidence < SURE) return ''
  return value.low > 1 ? 'better' : value.high < 1 ? 'worse' : ''
}

/** What is said below the table. */
export function footer(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ row }) => row)
  const all = comparisons.map(({ medians }) => marks(medians))
  const least = Math.min(...comparisons.flatMap(({ rate }) => rate?.confidence ?? []), 1)
  const confidence = `a confidence of ${Math.floor(least * 100)} %`
  const verdicts =
    'better, worse: the whole spread is on that side of 1, by CPU time or by memory. By chance, ' +
    'about one row in thirty is called so: measure it again, with more --rounds.'
  return wrap([
    'x: how many times as good this build is as the other one. Above 1 is better.',
    `spread: the interval that the true median is in, with ${confidence}.`,
    least < SURE ? 'There are too few rounds to call a row better or worse.' : verdicts,
    ...legend(rows, all),
  ])
}
