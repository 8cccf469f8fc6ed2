/**
 * Bench. The samples of all rows: in a row, the programs that are compared take turns.
 *
 * Rules:
 * 1. Each round measures every program once. Every other round goes the other way: A B, B A, A B.
 *    So a machine that slows down slows all of them down alike.
 * 2. A sample that other processes disturbed is taken again, once, while there is time for it. The
 *    less disturbed of the two counts.
 */

import { Progress } from './progress.ts'
import type { Row } from './rows.ts'
import { DISTURBED, type Entrant, type Plan, type Sample, takeSample } from './sample.ts'

/** Milliseconds that a sample may take on average, with those that are taken again. */
const SHARE = 830

/** The samples of one entrant. */
export interface Taken<E extends Entrant> {
  readonly entrant: E
  readonly samples: Sample[]
}

/**
 * Measures the rows one after the other; gives the samples of each, in the order of the entrants.
 */
export async function* measureRows<E extends Entrant>(
  rows: readonly Row[],
  entrantsOf: (row: Row) => readonly E[],
  rounds: number,
  plan: Plan,
): AsyncGenerator<[row: Row, taken: readonly Taken<E>[]]> {
  const all = rows.map(row => ({ row, entrants: entrantsOf(row) }))
  const count = all.reduce((sum, { entrants }) => sum + entrants.length, 0)
  const progress = new Progress(rounds * count, SHARE)
  for (const { row, entrants } of all) {
    const taken = await measureRow(row, entrants, rounds, plan, progress)
    progress.clear()
    yield [row, taken]
  }
}

async function measureRow<E extends Entrant>(
  row: Row,
  entrants: readonly E[],
  rounds: number,
  plan: Plan,
  progress: Progress,
): Promise<Taken<E>[]> {
  const taken = entrants.map(entrant => ({ entrant, samples: [] as Sample[] }))
  const own: Plan = {
    ...plan,
    warm_up: plan.warm_up * (row.warm_up ?? 1),
    isPinned: plan.isPinned && row.isFree !== true,
  }
  for (let round = 0; round < rounds; round++) {
    for (const { entrant, samples } of round % 2 === 0 ? taken : taken.toReversed()) {
      progress.begin(`${row.name}, ${entrant.name}, round ${round + 1} of ${rounds}`)
      // A program that has failed is not measured again: a failure may take long to show.
      if (samples.some(sample => 'fault' in sample)) continue
      samples.push(await sampleCalmly(() => takeSample(entrant, row.load, own), progress))
    }
  }
  return taken
}

async function sampleCalmly(take: () => Promise<Sample>, progress: Progress): Promise<Sample> {
  const sample = await take()
  if (disturbance(sample) <= DISTURBED || !progress.hasTime) return sample
  const again = await take()
  return disturbance(again) < disturbance(sample) ? again : sample
}

/** A fault counts as undisturbed: it would come again, and it has to be seen. */
function disturbance(sample: Sample): number {
  return 'fault' in sample ? 0 : sample.others
}
