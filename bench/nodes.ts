/**
 * Bench. The Nodes that the measured programs run on: this one, one at a path, or one that npm
 * fetches into a temporary folder. Bun and Deno count as such.
 */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { UsageError } from '../src/commands/usage.ts'

/** A Node to run programs on. */
export interface NodeBinary {
  readonly path: string
  /** As in `process.version`: with a v. Of another runtime: its name and version. */
  readonly version: string
  /** What stands before a program, so that the program can ask for a collection. */
  readonly options: readonly string[]
}

export type Runtime = 'Node' | 'Bun' | 'Deno'

/** How each of them is told apart by its answer to --version, and what its `options` are. */
const RUNTIMES: Readonly<Record<Runtime, readonly [answer: RegExp, ...options: string[]]>> = {
  Node: [/^(v\d+\.\d+\.\d+)/, '--expose-gc'],
  Bun: [/^(\d+\.\d+\.\d+)/, '--expose-gc'],
  Deno: [/^deno (\d+\.\d+\.\d+)/, 'run', '--allow-all', '--v8-flags=--expose-gc'],
}

/** The package of npm that has a runtime, and where its program is in node_modules/. */
const PACKAGES: Readonly<Record<string, readonly [name: string, program: string]>> = {
  bun: ['bun@1.4.5', 'bun/bin/bun.exe'],
  deno: ['deno@2.9.6', 'deno/deno'],
}

const THIS_NODE: NodeBinary = {
  path: process.execPath,
  version: process.version,
  options: ['--expose-gc'],
}

export function runtimeOf(version: string): Runtime {
  return version.startsWith('v') ? 'Node' : (version.split(' ')[0] as Runtime)
}

/** Name and version. */
export function nameOfNode(version: string): string {
  return version.replace(/^v/, 'Node ')
}

/**
 * The Nodes that `--node` asks for, or this one. `folder` is where npm may put what it fetches.
 * Throws UsageError if there is no such Node.
 */
export function findNodes(wanted: readonly string[], folder: string): NodeBinary[] {
  if (wanted.length === 0) return [THIS_NODE]
  return [...new Set(wanted)].map(which => {
    if (/[/\\]/.test(which)) return atPath(which, which)
    return isThisNode(which) ? THIS_NODE : atPath(fetch(which, folder), which)
  })
}

/** Is it the version of this Node, or the beginning of it? */
function isThisNode(which: string): boolean {
  return `${process.version}.`.startsWith(`v${which.replace(/^v/, '')}.`)
}

/** Has npm install that version; returns the path of its binary. */
function fetch(which: string, folder: string): string {
  if (!/^[\w.-]+$/.test(which))
    throw new UsageError(`--node ${JSON.stringify(which)} is no version and no path`)
  const prefix = join(folder, `node-${which}`)
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const [name, program] = PACKAGES[which] ?? [`node@${which}`, 'node/bin/node']
  const install = ['install', ...quiet, '--prefix', prefix, name]
  // Under npm run, this is the file of npm, which every system can run by Node.
  const npm = process.env.npm_execpath
  try {
    if (npm === undefined) execFileSync('npm', install, { stdio: 'pipe' })
    else execFileSync(process.execPath, [npm, ...install], { stdio: 'pipe' })
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: Buffer }
    const reason = /^npm error (?:[a-z]+ )?(?=[A-Z])(.+)$/m.exec(String(stderr))?.[1] ?? message
    throw new UsageError(`--node ${which}: npm cannot install ${name}: ${reason}`)
  }
  return join(prefix, 'node_modules', program)
}

function atPath(path: string, which: string): NodeBinary {
  try {
    const said = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim()
    for (const [name, [answer, ...options]] of Object.entries(RUNTIMES)) {
      const version = answer.exec(said)?.[1]
      if (version !== undefined)
        return { path, version: name === 'Node' ? version : `${name} ${version}`, options }
    }
  } catch {
    // The error below says what is wrong.
  }
  throw new UsageError(`--node ${which}: ${path} does not answer --version as Node does`)
}

/**
 * A short name for each of these versions, as 20.20; with the last part too if two are alike
 * without it.
 */
export function labelNodes(versions: readonly string[]): Map<string, string> {
  const short = (version: string): string => /^v(\d+\.\d+)/.exec(version)?.[1] ?? version
  const all = [...new Set(versions)]
  return new Map(
    all.map(version => {
      const isAlone = all.filter(each => short(each) === short(version)).length === 1
      return [version, isAlone ? short(version) : version.slice(1)]
    }),
  )
}
