/**
 * Bench. One sample: a fresh server, a fresh generator, one window of measured work.
 *
 * Rules:
 * 1. The CPU time of a message is the server's share of its core, times the time in which the
 *    generator counted, over what it counted. (Server and generator are asked at slightly different
 *    moments. So the share is taken over the server's own time.)
 * 2. A wrong byte, a broken connection or a server that dies is a fault, never a figure.
 */

import { type Answer, now } from './child.ts'
import type { Load, Report, Result, Task } from './load/load.ts'
import { busyTime, CORES } from './machine.ts'
import { Child } from './processes.ts'
import type { Program } from './rows.ts'

/** One server program under one Node: what takes turns with others. */
export interface Entrant {
  /** What the progress line calls it. */
  readonly name: string
  readonly program: Program
  /** The path of the Node that runs it. */
  readonly node: string
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
  /** The share that everything else on this machine used; 1 if the server could hardly run. */
  readonly others: number
}

/** If others use more than this share of a core, a sample is disturbed. */
export const DISTURBED = 0.15

export type Sample = Figures | { readonly fault: string }

/** How a sample is taken. Durations are milliseconds. */
export interface Plan {
  readonly warm_up: number
  readonly window: number
  readonly isPinned: boolean
  /** The path of the file that servers send. */
  readonly file: string
}

/**
 * Milliseconds that a sample may take besides its warm-up and window. At worst it opens thousands
 * of connections.
 */
const PATIENCE = 12_000

/** Takes one sample. The generator runs on the Node of the runner, whatever the server runs on. */
export async function takeSample(entrant: Entrant, load: Load, plan: Plan): Promise<Sample> {
  const { program, node, folder } = entrant
  const [file, ...args] = program
  const cores = plan.isPinned ? CORES : undefined
  const server = new Child('the server', {
    program: file,
    args: args.map(argument => argument.replace('{file}', plan.file)),
    node,
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
  const { warm_up, window, file } = plan
  const patience = warm_up + window + PATIENCE
  const isMemory = load.kind === 'idle'
  const task: Task = { load, port: await server.port(), file, warm_up, window }
  generator.send(task)
  await reported<'begin'>(generator, patience)
  const memory = isMemory ? (await server.ask<Answer>('memory')).memory : 0
  const [busy, from] = [busyTime(), now()]
  const before = await server.ask<Answer>('usage')
  generator.send('go')
  const result = await reported<Result>(generator, patience)
  const after = await server.ask<Answer>('usage')
  const total = (busyTime() - busy) / 1000 / (now() - from)
  const span = after.at - before.at
  const server_busy = (after.cpu - before.cpu) / 1000 / span
  const generator_busy = result.cpu / 1000 / result.elapsed
  const others = span < result.elapsed / 2 ? 1 : Math.max(0, total - server_busy - generator_busy)
  const shares = { server_busy, generator_busy, others }
  if (result.messages === 0) throw new Error('nothing came back')
  if (isMemory) {
    const held = (await server.ask<Answer>('memory')).memory - memory
    return { rate: held / 1024 / load.connections, cpu: null, ...shares }
  }
  const seconds = result.elapsed / 1000
  return {
    rate: result.messages / seconds,
    cpu: (server_busy * seconds * 1e6) / result.messages,
    ...shares,
  }
}

async function reported<Kind extends Report>(generator: Child, within: number): Promise<Kind> {
  const report = await generator.next<Report>(within)
  if (typeof report === 'object' && 'fault' in report) throw new Error(report.fault)
  return report as Kind
}
