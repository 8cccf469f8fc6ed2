/**
 * Bench. The machine, and the state of the code that is measured: figures mean nothing without
 * them.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the project. This file runs in bench/build/bench/. */
export const PROJECT = new URL('../../../', import.meta.url)

/** The cores that the processes are held to. */
export const CORES = { server: 0, generator: 1 } as const

export interface Machine {
  /** The version of the Node that runs the bench and its load generator. */
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  /** Is each process held to its core? */
  readonly isPinned: boolean
}

export interface Build {
  readonly version: string
  /** The short hash; 'unknown' if the folder is no checkout, or if there is no git. */
  readonly commit: string
  /** Has src/ been changed since that commit? */
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
      run(['taskset', '-c', `${CORES.server},${CORES.generator}`, 'true']) !== undefined,
  }
}

/** The build in `folder`, which is that of the project if it is left out. */
export function build(folder = fileURLToPath(PROJECT)): Build {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string
  }
  // A package that is installed in another checkout must not be taken for that checkout.
  const isCheckout = existsSync(join(folder, '.git'))
  const git = (...args: string[]): string | undefined =>
    isCheckout ? run(['git', ...args], folder) : undefined
  return {
    version,
    commit: git('rev-parse', '--short', 'HEAD') ?? 'unknown',
    isChanged: (git('status', '--porcelain', '--', 'src') ?? '') !== '',
  }
}

/** How many processes wanted to run, on average over the last minute. */
export function load(): number {
  return loadavg()[0] as number
}

/**
 * The CPU time that all cores together have used since the machine started, in microseconds. Linux
 * counts it in steps of 10 ms.
 */
export function busyTime(): number {
  return (
    cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) *
    1000
  )
}

/** What a command says; undefined if it fails, or does not exist. */
function run([command, ...args]: [string, ...string[]], cwd?: string): string | undefined {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
