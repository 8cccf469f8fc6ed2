/**
 * Bench. The machine that is measured on, and the state of the project: what the figures cannot be
 * read without.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The folder of the project; this file runs in bench/build/bench/. */
export const PROJECT = new URL('../../../', import.meta.url)

/** The cores that processes are held to. */
export const CORES = { server: 0, generator: 1 } as const

export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  /** Is each process held to its core? */
  readonly isPinned: boolean
}

export interface Build {
  readonly version: string
  /** The short hash; 'unknown' where there is no git. */
  readonly commit: string
  /** Has the source been changed since that commit? */
  readonly isChanged: boolean
}

export function machine(): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    isPinned:
      availableParallelism() > 1 &&
      run('taskset', '-c', `${CORES.server},${CORES.generator}`, 'true') !== undefined,
  }
}

export function build(): Build {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PROJECT), 'utf8')) as {
    version: string
  }
  const commit = run('git', 'rev-parse', '--short', 'HEAD') ?? 'unknown'
  return {
    version,
    commit,
    isChanged: (run('git', 'status', '--porcelain', '--', 'src') ?? '') !== '',
  }
}

/** Processes that wanted to run, averaged over the last minute. */
export function load(): number {
  return loadavg()[0] as number
}

/**
 * CPU time that all cores together have used since the machine started, in microseconds. In steps
 * of 10 ms on Linux.
 */
export function busyTime(): number {
  return (
    cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) *
    1000
  )
}

/** What a command says; undefined when it fails, or does not exist. */
function run(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      cwd: fileURLToPath(PROJECT),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
