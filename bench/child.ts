/**
 * Bench. What a server program does besides serving: it says at which port it listens, and answers
 * what the runner asks.
 *
 * Rules:
 * 1. The CPU time is what the server itself says: `process.cpuUsage`, all its threads, in
 *    microseconds. /proc counts in steps of 10 ms, and not every system has it.
 * 2. A server never outlives the runner: when the channel between them closes, it exits.
 */

/** What the runner asks a server. */
export type Question = 'usage' | 'memory'

/** What a server answers. */
export interface Answer {
  /** Milliseconds of the clock that all processes of a machine share. */
  readonly at: number
  /** CPU time used since the start, user and system, in microseconds. */
  readonly cpu: number
  /** Resident memory in bytes. If the question was 'memory', after a collection. */
  readonly memory: number
}

/**
 * A server calls this when it listens, with its address, `[host, port]`. If it has other processes,
 * `others` asks them for the CPU time that they have used, in microseconds.
 */
export function ready(
  address: readonly [host: string, port: number] | string | undefined,
  others = async (): Promise<number> => 0,
): void {
  if (!Array.isArray(address))
    throw new Error(`the bench needs a port; the server listens on ${address}`)
  process.on('message', async (question: Question) =>
    process.send?.(answer(question, await others())),
  )
  process.on('disconnect', () => process.exit())
  console.log(`READY ${address[1]}`)
}

function answer(question: Question, others: number): Answer {
  const { user, system } = process.cpuUsage()
  // Twice: the second collection frees what the first one finalizes.
  if (question === 'memory') for (let i = 0; i < 2; i++) globalThis.gc?.()
  return { at: now(), cpu: user + system + others, memory: process.memoryUsage.rss() }
}

/** Milliseconds, comparable between processes. `hrtime` of Bun and Deno begins with the process. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
