/**
 * Bench. One sample: a fresh server, a fresh generator, one window of measured work.
 *
 * Rules:
 * 1. CPU time is the server's share of its core while the generator measured, over what was counted
 *    meanwhile. (The two are asked at slightly different moments, so the share is taken over the
 *    server's own time.)
 * 2. A wrong byte, a broken connection, a server that dies: a fault, never a figure.
 */

import { type Answer, now } from './child.ts'
import type { Load, Report, Result, Task } from './load/load.ts'
import { busyTime, CORES } from './machine.ts'
import { Child } from './processes.ts'
import type { Program } from './rows.ts'

/** What one sample measured. Shares are of one core. */
export interface Figures {
  /** A second; or KiB for each connection where memory was measured. */
  readonly rate: number
  /** The server's CPU time for each message, in microseconds; null where memory was measured. */
  readonly cpu: number | null
  readonly server_busy: number
  readonly generator_busy: number
  /**
   * What everything else on this machine used meanwhile; 1 where the server did not even get round
   * to answering.
   */
  readonly others: number
}

/** More than this share of a core used by others, and a sample is disturbed. */
export const DISTURBED = 0.15

export type Sample = Figures | { readonly fault: string }

/** How a sample is taken. Durations in milliseconds. */
export interface Plan {
  readonly warm_up: number
  readonly window: number
  readonly isPinned: boolean
  /** The path of the file that servers send. */
  readonly file: string
}

/**
 * Milliseconds that a sample may take besides its warm-up and window: opening thousands of
 * connections, at worst.
 */
const PATIENCE = 12_000

export async function takeSample(program: Program, load: Load, plan: Plan): Promise<Sample> {
  const [file, ...args] = program
  const paths = args.map(argument => argument.replace('{file}', plan.file))
  const server = new Child('the server', file, paths, plan.isPinned ? CORES.server : undefined)
  const generator = new Child(
    'the generator',
    'load/main',
    [],
    plan.isPinned ? CORES.generator : undefined,
  )
  try {
    return await measure(server, generator, load, plan)
  } catch (error) {
    // What the generator noticed may only be how the server's end looks from outside.
    return { fault: (await server.whyEnded()) ?? (error as Error).message }
  } finally {
    // The generator first: to it a server that goes away is a fault.
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
