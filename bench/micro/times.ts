/**
 * Bench. The times: nanoseconds for each message in the core, without sockets. They compare Nodes,
 * or two versions of the code on one quiet machine.
 *
 * Rules:
 * 1. In every round all cases take turns, and in each case all Nodes, so that all of them see the
 *    same machine.
 * 2. The least CPU time says what the code costs, also while others use the machine. The minimum
 *    and the median by the clock say how quiet the machine was.
 */

import type { Child } from '../processes.ts'
import { median } from '../spread.ts'
import type { Case } from './cases.ts'

/** A process that measures (child.ts), and the short name of its Node. */
export interface Subject {
  readonly label: string
  readonly child: Child
}

/** What such a process is asked. */
export type Question = 'counts' | 'cases' | { readonly index: number }

/** What it answers to 'cases': all of them, in order. */
export type CaseName = Omit<Case, 'run'>

/** What it answers to an index: nanoseconds for each message of that case. */
export interface Sample {
  readonly time: number
  /** CPU time, of all threads. */
  readonly cpu: number
}

/** A case on one Node. Nanoseconds for each message. */
export interface Time {
  readonly what: string
  readonly label: string
  readonly min: number
  readonly median: number
  /** The least CPU time. */
  readonly cpu: number
  /**
   * The CPU time that each further layer costs: the difference to the case below it. Undefined if
   * there is none.
   */
  readonly layer: number | undefined
}

/** The first rounds warm V8 up and do not count. */
const ROUNDS = 15
const WARM_UP = 3

/** Measures all cases on all Nodes. */
export async function times(subjects: readonly Subject[]): Promise<Time[]> {
  const cases = await (subjects[0] as Subject).child.ask<CaseName[]>('cases')
  const samples = cases.map(() => subjects.map((): Sample[] => []))
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, own] of samples.entries()) {
      for (const [at, { child }] of subjects.entries())
        (own[at] as Sample[]).push(await child.ask<Sample>({ index }))
    }
  }
  const all = samples.map(own => own.map(taken => taken.slice(WARM_UP)))
  return all.flatMap((own, index) =>
    own.map((_, at) =>
      summarize(
        cases,
        all.map(each => each[at] as Sample[]),
        index,
        subjects[at] as Subject,
      ),
    ),
  )
}

function summarize(
  cases: readonly CaseName[],
  all: readonly (readonly Sample[])[],
  index: number,
  { label }: Subject,
): Time {
  const { what, over } = cases[index] as CaseName
  const least = (of: number): number => Math.min(...(all[of] as Sample[]).map(({ cpu }) => cpu))
  const below = over && least(cases.findIndex(each => each.what === over[0]))
  const own = all[index] as Sample[]
  return {
    what,
    label,
    min: Math.min(...own.map(({ time }) => time)),
    median: median(own.map(({ time }) => time)),
    cpu: least(index),
    layer: over && below !== undefined ? (least(index) - below) / over[1] : undefined,
  }
}
