/**
 * Bench. The results of a run: medians, and the files in bench/results/ that they are kept in.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Build, type Machine, PROJECT } from './machine.ts'
import { type Contestant, CONTESTANTS, type Row } from './rows.ts'
import type { Figures, Sample } from './sample.ts'

/**
 * What one contestant did in one row: medians over the rounds, or what was wrong; neither where it
 * did not take part.
 */
export interface Outcome {
  readonly median: Figures | null
  readonly fault: string | null
  readonly samples: readonly Figures[]
}

export interface RowResult extends Pick<Row, 'name' | 'title' | 'unit'> {
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
  /**
   * Processes that wanted to run, a minute's average, before and after: the run itself adds about
   * two.
   */
  readonly load: { readonly before: number; readonly after: number }
  readonly rows: readonly RowResult[]
}

const ABSENT: Outcome = { median: null, fault: null, samples: [] }

/**
 * The result of a row; one fault and a contestant has no figures, as they would be those of
 * something else.
 */
export function summarize(
  row: Row,
  samples: Readonly<Record<Contestant, readonly Sample[]>>,
): RowResult {
  const { name, title, unit } = row
  const outcomes = Object.fromEntries(
    CONTESTANTS.map(each => [
      each,
      row.programs[each] === undefined ? ABSENT : outcome(samples[each]),
    ]),
  ) as Record<Contestant, Outcome>
  return { name, title, unit, outcomes }
}

function outcome(samples: readonly Sample[]): Outcome {
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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** How many times the tuned baseline; null where one of the two has no figure. */
export function ratio({ outcomes }: RowResult): number | null {
  const [ours, theirs] = [outcomes.sluice.median, outcomes.tuned.median]
  return ours === null || theirs === null ? null : ours.rate / theirs.rate
}

// ---- files --------------------------------------------------------------------------------------

const FOLDER = new URL('bench/results/', PROJECT)

/** Writes `<date>-<commit>.json`; returns its path below the project. */
export function writeResults(results: Results): string {
  const date = results.date.slice(0, 16).replace(':', '')
  const name = `${date}-${results.build.commit}.json`
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(new URL(name, FOLDER), JSON.stringify(results, null, 2) + '\n')
  return `bench/results/${name}`
}

/** The newest results of all rows in full rounds; undefined where there are none. */
export function newestResults(): Results | undefined {
  const names = readNames().toSorted().reverse()
  for (const name of names) {
    const results = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Results
    if (results.plan.isWhole) return results
  }
  return undefined
}

function readNames(): string[] {
  try {
    return readdirSync(FOLDER).filter(name => name.endsWith('.json'))
  } catch {
    return []
  }
}
