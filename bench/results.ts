/**
 * Bench. The results of a run: medians, and the files in bench/results/ that keep them.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Build, type Machine, PROJECT } from './machine.ts'
import { type Contestant, CONTESTANTS, type Row } from './rows.ts'
import type { Figures, Sample } from './sample.ts'
import { median } from './spread.ts'

/** What one program did in one row. If it did not take part, it has no median and no fault. */
export interface Outcome {
  /** Medians over the rounds. */
  readonly median: Figures | null
  /** What was wrong. */
  readonly fault: string | null
  readonly samples: readonly Figures[]
}

/** A row on one Node. */
export interface RowResult extends Pick<Row, 'name' | 'title' | 'unit'> {
  /** The version of the Node that the servers ran on, with a v. */
  readonly node: string
  readonly outcomes: Readonly<Record<Contestant, Outcome>>
}

/** What a file in bench/results/ holds. */
export interface Results {
  /** ISO, UTC. */
  readonly date: string
  readonly machine: Machine
  readonly build: Build
  readonly plan: {
    readonly rounds: number
    /** Milliseconds. */
    readonly warm_up: number
    readonly window: number
    /** Were all rows measured? */
    readonly isWhole: boolean
  }
  /** The load average of a minute, before and after. The run itself adds about two. */
  readonly load: { readonly before: number; readonly after: number }
  readonly rows: readonly RowResult[]
}

const ABSENT: Outcome = { median: null, fault: null, samples: [] }

/** The result of a row on one Node. */
export function summarize(
  { name, title, unit }: Row,
  node: string,
  samples: Readonly<Partial<Record<Contestant, readonly Sample[]>>>,
): RowResult {
  const outcomes = Object.fromEntries(
    CONTESTANTS.map(each => {
      const taken = samples[each]
      return [each, taken === undefined ? ABSENT : outcomeOf(taken)]
    }),
  ) as Record<Contestant, Outcome>
  return { name, title, unit, node, outcomes }
}

/** After one fault there are no medians: they would be those of other work. */
export function outcomeOf(samples: readonly Sample[]): Outcome {
  const faulty = samples.find(sample => 'fault' in sample)
  const good = samples.filter((sample): sample is Figures => !('fault' in sample))
  if (faulty !== undefined || good.length === 0)
    return { median: null, fault: faulty?.fault ?? 'not measured', samples: good }
  const of = (name: keyof Figures): number => median(good.map(sample => sample[name] ?? 0))
  const cpu = good.some(sample => sample.cpu === null) ? null : of('cpu')
  const shares = {
    server_busy: of('server_busy'),
    generator_busy: of('generator_busy'),
    others: of('others'),
  }
  return { median: { rate: of('rate'), cpu, ...shares }, fault: null, samples: good }
}

/** How many times as good as the other one; above 1 is better. Null if a figure is missing. */
export interface Times {
  /** By messages a second, or by memory. */
  readonly rate: number | null
  /** By CPU time for each message. */
  readonly cpu: number | null
}

/** How good one is beside another. */
export function times(unit: Row['unit'], one: Figures | null, other: Figures | null): Times {
  if (one === null || other === null) return { rate: null, cpu: null }
  const rate = unit === 'KiB' ? other.rate / one.rate : one.rate / other.rate
  return { rate, cpu: one.cpu === null || other.cpu === null ? null : other.cpu / one.cpu }
}

// ---- files --------------------------------------------------------------------------------------

const FOLDER = new URL('bench/results/', PROJECT)

/** Writes `<date>-<commit>.json`; returns its path from the project on. */
export function writeResults(results: Results): string {
  const date = results.date.slice(0, 16).replace(':', '')
  const name = `${date}-${results.build.commit}.json`
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(new URL(name, FOLDER), JSON.stringify(results, null, 2) + '\n')
  return `bench/results/${name}`
}

/** The newest results of that kind; undefined if there are none. */
export function newestResults(isWanted: (results: Results) => boolean): Results | undefined {
  const names = readNames().toSorted().reverse()
  for (const name of names) {
    const file = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Results
    const results = withNodes(file)
    if (isWanted(results)) return results
  }
  return undefined
}

/** Files of earlier versions do not say which Node a row ran on: it was that of the runner. */
function withNodes(results: Results): Results {
  const { machine, rows } = results
  return { ...results, rows: rows.map(row => ({ ...row, node: row.node ?? machine.node })) }
}

function readNames(): string[] {
  try {
    return readdirSync(FOLDER).filter(name => name.endsWith('.json'))
  } catch {
    return []
  }
}
