/**
 * Bench. The results as text: for a terminal, line by line as they come, and for README.md.
 */

import { type Build, CORES } from './machine.ts'
import { type Outcome, ratio, type Results, type RowResult } from './results.ts'
import { CONTESTANTS } from './rows.ts'
import { DISTURBED } from './sample.ts'

/**
 * The generator's core is busy, the server's is not: then the rate says how fast the generator is.
 */
const BUSY = 0.95

const WIDTH = { title: 33, rate: 10, ratio: 8, bar: 23, cpu: 9 } as const

/** What is said before the table. */
export function header({ date, machine, build, plan, load }: Omit<Results, 'rows'>): string {
  const { isPinned, cores } = machine
  const pinned = `server on core ${CORES.server}, generator on core ${CORES.generator} (taskset)`
  return [
    `sluice ${build.version} (${nameOf(build)}) beside bare node:net and node:dgram`,
    `${date.slice(0, 16).replace('T', ' ')} UTC; Node ${machine.node.slice(1)}; ${machine.cpu}, ${count(cores, 'core')}; ${machine.platform}`,
    `${isPinned ? pinned : 'processes not held to cores'}; load before ${load.before.toFixed(2)}`,
    `${count(plan.rounds, 'round')} of ${plan.window} ms after ${plan.warm_up} ms of warm-up, servers in turn, each time a new process; medians`,
  ].join('\n')
}

function nameOf({ commit, isChanged }: Build): string {
  return commit + (isChanged ? ' with changes' : '')
}

/** The heads of the columns. */
export function heads(): string {
  const { title, rate, ratio, bar, cpu } = WIDTH
  const above =
    'a second'.padStart(title + 3 * rate) + 'CPU us each'.padStart(ratio + bar + 3 * cpu)
  const rates = CONTESTANTS.map(each => each.padStart(WIDTH.rate)).join('')
  const cpus = CONTESTANTS.map(each => each.padStart(WIDTH.cpu)).join('')
  const middle = 'x tuned'.padStart(ratio) + '  0       1.0       2.0'.padEnd(bar)
  return `${above}\n${'work'.padEnd(title)}${rates}${middle}${cpus}`
}

/** A row, and why it failed where it did. */
export function line(row: RowResult): string {
  const medians = CONTESTANTS.map(each => row.outcomes[each].median)
  const rates = CONTESTANTS.map(each =>
    rate(row.outcomes[each], 'FAILED').padStart(WIDTH.rate),
  ).join('')
  const cpus = medians.map(each => cpuTime(each?.cpu ?? null).padStart(WIDTH.cpu)).join('')
  const times = ratio(row)
  const middle =
    (times === null ? '-' : times.toFixed(2)).padStart(WIDTH.ratio) +
    `  ${bar(times ?? 0)}`.padEnd(WIDTH.bar)
  const failed = CONTESTANTS.filter(each => row.outcomes[each].fault !== null)
  const faults = failed.map(each => `    ${each} failed: ${row.outcomes[each].fault}`)
  return [
    `${row.title.padEnd(WIDTH.title)}${rates}${middle}${cpus} ${marks(row)}`.trimEnd(),
    ...faults,
  ].join('\n')
}

const CPU =
  "CPU us each: microseconds of the server's CPU for each message, from its own process.cpuUsage(), asked over IPC."
const MEMORY =
  'Memory: what the resident set of the server has grown by for each connection, after a collection; less is better.'

/** What is said behind the table: what the marks mean, and how CPU time was measured. */
export function footer(rows: readonly RowResult[]): string {
  const all = rows.map(marks).join('')
  const lines = [
    CPU,
    rows.some(row => row.unit === 'KiB') && MEMORY,
    all.includes('g') &&
      'g: the generator was busier than a server: the rates are its own, compare the CPU time.',
    all.includes('*') &&
      `*: other processes used more than ${DISTURBED * 100} % of a core meanwhile.`,
  ]
  return lines.filter(each => each !== false).join('\n')
}

function marks({ outcomes }: RowResult): string {
  const medians = CONTESTANTS.map(each => outcomes[each].median)
  const isSlow = medians
    .slice(0, 2)
    .some(
      each =>
        each !== null && each.cpu !== null && each.generator_busy > BUSY && each.server_busy < BUSY,
    )
  return (
    (isSlow ? 'g' : '') +
    (medians.some(each => each !== null && each.others > DISTURBED) ? '*' : '')
  )
}

/** Ten characters are as much as the tuned baseline. */
function bar(times: number): string {
  const cells = Math.min(20, Math.round(times * 10))
  return (
    '#'.repeat(Math.min(cells, 10)).padEnd(10) +
    '|' +
    '#'.repeat(Math.max(0, cells - 10)) +
    (times >= 2.05 ? '>' : '')
  )
}

function rate({ median, fault }: Outcome, failed: string): string {
  return median !== null ? figure(median.rate) : fault !== null ? failed : '-'
}

/** Three digits of a number, with k or M. */
function figure(value: number): string {
  if (value >= 999_500) return `${digits(value / 1e6)} M`
  if (value >= 9_995) return `${digits(value / 1e3)} k`
  return digits(value)
}

function digits(value: number): string {
  return value >= 999.5 ? value.toFixed(0) : value.toPrecision(3)
}

function cpuTime(value: number | null): string {
  return value === null ? '-' : digits(value)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

// ---- README -------------------------------------------------------------------------------------

/** The results for README.md. */
export function markdown(results: Results): string {
  const { build, load, rows } = results
  const lines = rows.map(row => {
    const medians = CONTESTANTS.map(each => row.outcomes[each].median)
    const rates = CONTESTANTS.map(each => rate(row.outcomes[each], 'failed'))
    const times = ratio(row)?.toFixed(2) ?? '-'
    const cpus = medians.map(each => cpuTime(each?.cpu ?? null))
    return `| ${[row.title + (marks(row) && ` (${marks(row)})`), ...rates, times, ...cpus].join(' | ')} |`
  })
  const said = header(results).split('\n').slice(1)
  return [
    `sluice ${build.version}, commit ${nameOf(build)}; ${said.join('; ')}; load after ${load.after.toFixed(2)}.`,
    '',
    '| work, a second | sluice | net tuned | net naive | x tuned | CPU µs: sluice | tuned | naive |',
    '|---|--:|--:|--:|--:|--:|--:|--:|',
    ...lines,
    '',
    ...footer(rows)
      .replace('CPU us each', 'CPU µs')
      .split('\n')
      .map(each => `- ${each}`),
  ].join('\n')
}
