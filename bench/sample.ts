/**
 * Bench. One sample: a fresh server, a fresh generator, one window of measured work.
 *
 * Rules:
 * 1. The server says at two moments how much CPU time it has used. Everything is measured between
 *    these two: the generator keeps a record of its count, in which both moments are looked up. So
 *    it does not matter if a busy machine lets an answer wait.
 * 2. On a busy machine the server gets little CPU time. Then the warm-up and the window last
 *    longer, within limits: what counts is how much the server could do in them.
 * 3. A wrong byte, a broken connection or a server that dies is a fault, never a figure.
 */

import { type Answer, now } from './child.ts'
import type { Entry, Load, Report, Result, Task } from './load/load.ts'
import { busyTime, CORES } from './machine.ts'
import type { NodeBinary } from './nodes.ts'
import { Child } from './processes.ts'
import type { Program } from './rows.ts'

/** One server program under one Node: what takes turns with others. */
export interface Entrant {
  /** What the progress line calls it. */
  readonly name: string
  readonly program: Program
  /** The Node that runs it. */
  readonly node: NodeBinary
  /** The folder of the compiled bench that its program is in. Default: this one. */
  readonly folder?: string
}

/** What one sample measured. Shares are of one core. */
export interface Figures {
  /** Messages a second. If memory was measured: KiB for each connection. */
  readonly rate: number
  /** The server's CPU time for each message, in microseconds. If memory was measured: null. */
  readonly cpu: number | null
  readonly server_busy: number
  readonly generator_busy: number
  /** The share that everything else on this machine used. */
  readonly others: number
}

/** If others use more than this share of a core, a sample is disturbed. */
export const DISTURBED = 0.15

export type Sample = Figures | { readonly fault: string }

/** How a sample is taken. Durations are milliseconds, and longer on a busy machine. */
export interface Plan {
  readonly warm_up: number
  readonly window: number
  readonly isPinned: boolean
  /** The path of the file that servers send. */
  readonly file: string
}

/**
 * A warm-up or a window is over when the server has used this share of it as CPU time, or when it
 * has lasted this many times as long. A server that is busy uses nearly all of it.
 */
const ENOUGH = 0.5
const LONGEST = 5

/** Milliseconds from one look at a server that needs longer to the next. */
const STEP = 20

/** Milliseconds that anything else in a sample may take. At worst it opens thousands of sockets. */
const PATIENCE = 12_000

/** Takes one sample. The generator runs on the Node of the runner, whatever the server runs on. */
export async function takeSample(entrant: Entrant, load: Load, plan: Plan): Promise<Sample> {
  const { program, node, folder } = entrant
  const [file, ...args] = program
  const cores = plan.isPinned ? CORES : undefined
  const server = new Child('the server', {
    program: file,
    args: args.map(argument => argument.replace('{file}', plan.file)),
    node: node.path,
    options: node.options,
    core: cores?.server,
    ...(folder !== undefined && { folder }),
  })
  const generator = new Child('the generator', { program: 'load/main', core: cores?.generator })
  try {
    return await measure(server, generator, load, plan)
  } catch (error) {
    // If the server has ended, that is the reason, and the generator saw only the consequence.
    return { fault: (await server.whyEnded()) ?? (error as Error).message }
  } finally {
    // The generator first: it would take the end of the server for a fault.
    await generator.end()
    await server.end()
  }
}

async function measure(server: Child, generator: Child, load: Load, plan: Plan): Promise<Sample> {
  const { warm_up, file } = plan
  const port = await server.port()
  const start = await server.ask<Answer>('usage')
  const task: Task = { load, port, file, warm_up }
  generator.send(task)
  await reported<'begin'>(generator, warm_up)
  return load.kind === 'idle'
    ? measureMemory(server, generator, load.connections)
    : measureSpeed(server, generator, plan, start)
}

async function measureSpeed(
  server: Child,
  generator: Child,
  { warm_up, window }: Plan,
  start: Answer,
): Promise<Figures> {
  await hasWorked(server, start, warm_up)
  const [busy, from] = [busyTime(), now()]
  const before = await server.ask<Answer>('usage')
  await sleep(window)
  const after = await hasWorked(server, before, window)
  const total = (busyTime() - busy) / 1000 / (now() - from)
  generator.send('go')
  const { record, elapsed, cpu } = await reported<Result>(generator)
  const messages = countAt(record, after.at) - countAt(record, before.at)
  if (messages === 0) throw new Error('nothing came back')
  const span = after.at - before.at
  const used = after.cpu - before.cpu
  const [server_busy, generator_busy] = [used / 1000 / span, cpu / 1000 / elapsed]
  const others = Math.max(0, total - server_busy - generator_busy)
  return {
    rate: (messages / span) * 1000,
    cpu: used / messages,
    server_busy,
    generator_busy,
    others,
  }
}

/** Resolves with the server's answer when it has worked for `time` milliseconds since `since`. */
async function hasWorked(server: Child, since: Answer, time: number): Promise<Answer> {
  for (;;) {
    const answer = await server.ask<Answer>('usage')
    const hasUsed = answer.cpu - since.cpu >= time * 1000 * ENOUGH
    if (hasUsed || answer.at - since.at >= time * LONGEST) return answer
    await sleep(STEP)
  }
}

/** How many messages had been counted at that moment, by the two entries next to it. */
function countAt(record: Result['record'], at: number): number {
  const index = record.findIndex(([time]) => time >= at)
  const [time, count] = record.at(index) as Entry
  if (index <= 0) return count
  const [earlier, less] = record[index - 1] as Entry
  return less + ((count - less) * (at - earlier)) / (time - earlier)
}

async function measureMemory(
  server: Child,
  generator: Child,
  connections: number,
): Promise<Figures> {
  const before = await server.ask<Answer>('memory')
  generator.send('go')
  const { elapsed, cpu } = await reported<Result>(generator)
  const after = await server.ask<Answer>('memory')
  const used = (after.cpu - before.cpu) / 1000
  const server_busy = used / (after.at - before.at)
  const rate = (after.memory - before.memory) / 1024 / connections
  return { rate, cpu: null, server_busy, generator_busy: cpu / 1000 / elapsed, others: 0 }
}

async function reported<Kind extends Report>(generator: Child, time = 0): Promise<Kind> {
  const report = await generator.next<Report>(time + PATIENCE)
  if (typeof report === 'object' && 'fault' in report) throw new Error(report.fault)
  return report as Kind
}

function sleep(delay: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, delay))
}
