/** Where things are, for tests that read files of the package, or run what users get: lib/. */

import { readdirSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'
import workerThreads from 'node:worker_threads'

/** The folder of the package; the tests run compiled, in .build/test/. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The folder that the build writes, `lib/`. Throws when a source file is newer than the build. */
export function built(): string {
  if (isNew) return `${ROOT}lib/`
  const sources = (readdirSync(`${ROOT}src`, { recursive: true }) as string[]).filter(name =>
    name.endsWith('.ts'),
  )
  const newer = sources.find(
    name => modified(`src/${name}`) > modified(`lib/${name.replace(/ts$/, 'js')}`),
  )
  if (newer !== undefined) throw new Error(`lib/ is older than src/${newer}: run npx tsc`)
  isNew = true
  return built()
}

let isNew = false

/**
 * How to start this Node without tap's hooks: `spawn(...bareNode(argv))`. They would count coverage
 * there, which takes longer than most programs, and tap adds them to the environment of every
 * child. `env`: what is added to the environment.
 */
export function bareNode(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): [command: string, argv: string[]] {
  const added = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const said = process.versions.deno === undefined ? argv : forDeno(argv)
  return ['env', ['-u', 'NODE_OPTIONS', ...added, process.execPath, ...said]]
}

/** A program that is given by -e has its own way there, and its first argument is the second. */
function forDeno(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('-e')
  if (at === -1) return ['run', '--allow-all', '--quiet', ...argv]
  const [program, ...rest] = argv.slice(at + 1)
  const ending = argv.includes('--input-type=module') ? 'mjs' : 'cjs'
  return ['eval', '--quiet', `--ext=${ending}`, `process.argv.splice(1, 1);${program}`, ...rest]
}

/** The same for what is started by `fork`. */
export const bareEnv = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '' })

/** The same for threads that this process starts from now on. */
export function bareThreads(): void {
  class Bare extends workerThreads.Worker {
    constructor(file: string | URL, options?: workerThreads.WorkerOptions) {
      super(file, { ...options, execArgv: [], env: bareEnv() })
    }
  }
  workerThreads.Worker = Bare
  syncBuiltinESMExports()
}

function modified(name: string): number {
  return statSync(ROOT + name, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
