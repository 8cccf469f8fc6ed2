/**
 * Bench. The results as text: for a terminal, line by line as they come, in 100 columns; and for
 * a page of the guide.
 */

import { type Build, CORES } from './machine.ts'
import { labelNodes, nameOfNode } from './nodes.ts'
import { type Outcome, type Results, type RowResult, times } from './results.ts'
import { CONTESTANTS, type Row } from './rows.ts'
import { DISTURBED, type Figures } from './sample.ts'

/** Above this share of its core, the generator is busy, and below it a server is not. */
const BUSY = 0.95

const WIDTH = { title: 32, node: 10, rate: 8, times: 6, cpu: 7 } as const

/** What is said before the table. */
export function header(about: Omit<Results, 'rows'>, nodes: readonly string[]): string {
  return [
    `sluice ${nameOf(about.build)} beside bare node:net and node:dgram`,
    ...circumstances(about, nodes),
  ].join('\n')
}

/** When, where and how it was measured, in a few lines. */
export function circumstances(
  { date, machine, plan, load }: Omit<Results, 'rows' | 'build'>,
  nodes: readonly string[],
): string[] {
  const { isPinned, cores } = machine
  const pinned = `server on core ${CORES.server}, generator on core ${CORES.generator} (taskset)`
  return [
    `${date.slice(0, 16).replace('T', ' ')} UTC; ${nodesOf(machine.node, nodes)}`,
    `${machine.cpu}, ${count(cores, 'core')}; ${machine.platform}; ` +
      `load before ${load.before.toFixed(2)}`,
    `${isPinned ? pinned : 'processes not held to cores'}; a new process for each sample`,
    `${count(plan.rounds, 'round')} of ${plan.window} ms after ${plan.warm_up} ms of warm-up ` +
      '(more for fast work and on a busy machine), programs in turn; medians',
  ]
}

function nodesOf(generator: string, nodes: readonly string[]): string {
  const names = nodes.map(nameOfNode).join(', ')
  return nodes.length === 1 && nodes[0] === generator
    ? names
    : `${names}; generator on ${nameOfNode(generator)}`
}

/** The version, and the commit. */
export function nameOf({ version, commit, isChanged }: Build): string {
  return `${version} (${commit}${isChanged ? ' with changes' : ''})`
}

/** The heads of the columns. */
export function heads(): string {
  const { title, node, rate, times, cpu } = WIDTH
  const names = (width: number): string => CONTESTANTS.map(each => each.padStart(width)).join('')
  const above =
    'a second'.padStart(title + node + 3 * rate + times) + 'CPU us'.padStart(3 * cpu + times)
  const begin = 'work'.padEnd(title) + 'Node'.padEnd(node)
  const x = 'x'.padStart(times)
  return `${above}\n${begin}${names(rate)}${x}${names(cpu)}${x}`
}

/** A row; below it, why a program failed. `label` is the short name of its Node. */
export function line(row: RowResult, label: string): string {
  const medians = CONTESTANTS.map(each => row.outcomes[each].median)
  const rates = CONTESTANTS.map(each => rate(row.outcomes[each], 'FAILED'))
  const x = timesOf(row)
  const cells = [
    ...rates.map(each => each.padStart(WIDTH.rate)),
    ratio(x.rate).padStart(WIDTH.times),
    ...medians.map(each => cpuTime(each).padStart(WIDTH.cpu)),
    ratio(x.cpu).padStart(WIDTH.times),
  ].join('')
  const begin = row.title.padEnd(WIDTH.title) + label.padEnd(WIDTH.node)
  const failed = CONTESTANTS.filter(each => row.outcomes[each].fault !== null)
  return [
    `${begin}${cells} ${marks(medians)}`.trimEnd(),
    ...failed.map(each => `    ${each} failed: ${row.outcomes[each].fault}`),
  ].join('\n')
}

function timesOf({ unit, outcomes }: RowResult): ReturnType<typeof times> {
  return times(unit, outcomes.sluice.median, outcomes.tuned.median)
}

/** What is said below the table: what the figures and the marks mean. */
export function footer(rows: readonly RowResult[]): string {
  return wrap(meanings(rows))
}

function meanings(rows: readonly RowResult[]): string[] {
  const all = rows.map(row => marks(CONTESTANTS.map(each => row.outcomes[each].median)))
  const x = 'x: how many times as good sluice is as tuned, on the same Node. Above 1 is better.'
  return [x, ...legend(rows, all)]
}

/** What the figures and the marks of any table mean: a few sentences each. */
export function legend(rows: readonly Pick<Row, 'unit'>[], marks: readonly string[]): string[] {
  const all = marks.join('')
  const cpu = "CPU us: microseconds of the server's CPU time for each message, by its own"
  const memory = "Memory: by how much the server's resident memory has grown for each connection,"
  const texts = [
    `${cpu} process.cpuUsage().`,
    rows.some(row => row.unit === 'KiB') && `${memory} after a collection.`,
    all.includes('g') &&
      'g: the generator was busier than a server. So the rates are those of the generator: ' +
        'compare the CPU time.',
    all.includes('*') &&
      `*: other processes used more than ${DISTURBED * 100} % of a core meanwhile.`,
  ]
  return texts.filter(each => each !== false)
}

/** Texts as lines of at most 100 columns. */
export function wrap(texts: readonly string[]): string {
  return texts
    .map(text => text.replace(/(.{1,100})(?: |$)/g, '$1\n'))
    .join('')
    .trimEnd()
}

/** The marks of a row, of which the first two medians are compared. */
export function marks(medians: readonly (Figures | null)[]): string {
  const isSlow = medians
    .slice(0, 2)
    .some(
      each =>
        each !== null && each.cpu !== null && each.generator_busy > BUSY && each.server_busy < BUSY,
    )
  const isDisturbed = medians.some(each => each !== null && each.others > DISTURBED)
  return (isSlow ? 'g' : '') + (isDisturbed ? '*' : '')
}

// ---- figures ------------------------------------------------------------------------------------

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

/** Microseconds; a dash if there is no figure. */
export function cpuTime(median: Figures | null): string {
  return median === null || median.cpu === null ? '-' : digits(median.cpu)
}

/** Two decimals; a dash if there is no figure. */
export function ratio(value: number | null): string {
  return value?.toFixed(2) ?? '-'
}

/** A number and its noun, in the plural if it is not one. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

// ---- the guide ----------------------------------------------------------------------------------

/** The results as Markdown. With several Nodes, a column says which. */
export function markdown(results: Results): string {
  const { build, load, rows } = results
  const labels = labelNodes(rows.map(row => row.node))
  const hasNodes = labels.size > 1
  const lines = rows.map(row => {
    const medians = CONTESTANTS.map(each => row.outcomes[each].median)
    const x = timesOf(row)
    return tableLine([
      row.title + (marks(medians) && ` (${marks(medians)})`),
      ...(hasNodes ? [labels.get(row.node) as string] : []),
      ...CONTESTANTS.map(each => rate(row.outcomes[each], 'failed')),
      ratio(x.rate),
      ...medians.map(cpuTime),
      ratio(x.cpu),
    ])
  })
  const node = hasNodes ? ['Node'] : []
  const above = circumstances(results, [...labels.keys()])
  const columns = ['work, a second', ...node, 'sluice', 'net tuned', 'net naive', 'x tuned']
  const cpus = ['CPU µs: sluice', 'tuned', 'naive', 'x tuned']
  return [
    `sluice ${nameOf(build)}; ${above.join('; ')}; load after ${load.after.toFixed(2)}.`,
    '',
    tableLine([...columns, ...cpus]),
    `|---|${'--:|'.repeat(node.length + 8)}`,
    ...lines,
    '',
    ...meanings(rows).map(each => `- ${each.replace('CPU us', 'CPU µs')}`),
  ].join('\n')
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
