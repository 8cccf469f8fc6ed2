/**
 * Bench. The two builds that `--against` compares, each with programs to run.
 *
 * Rules:
 * 1. Both builds run the same programs, those of this bench. Only the library behind the name
 *    `sluice` differs.
 * 2. What runs are copies, so either folder may be built again during a run.
 */

import { cpSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../src/commands/usage.ts'
import { PROJECT } from './machine.ts'

/** The two builds. */
export interface Builds {
  /** The folder of the other build. */
  readonly other: string
  /** The folders of the programs that use this build, and the other one. */
  readonly programs: readonly [ours: string, other: string]
}

/**
 * Makes a folder of programs for this build and one for the build in `against`, both in `folder`.
 * Throws UsageError if there is no build, or an old one.
 */
export function makeBuilds(against: string, folder: string): Builds {
  const other = resolve(against)
  checkBuild(other, against)
  return {
    other,
    programs: [
      programsWith(fileURLToPath(PROJECT), join(folder, 'this')),
      programsWith(other, join(folder, 'other')),
    ],
  }
}

function checkBuild(folder: string, said: string): void {
  const built = modified(join(folder, 'lib', 'index.js'))
  if (built === undefined)
    throw new UsageError(`--against ${said}: there is no lib/index.js; npx tsc makes it`)
  const source = join(folder, 'src')
  const names = modified(source) === undefined ? [] : readdirSync(source, { recursive: true })
  const files = names.map(String).filter(name => name.endsWith('.ts'))
  const newer = files.find(name => (modified(join(source, name)) ?? 0) > built)
  if (newer !== undefined)
    throw new UsageError(
      `--against ${said}: lib/ is older than src/${newer}; npx tsc makes it anew`,
    )
}

/** When the file was written; undefined if there is none. */
function modified(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** Copies the programs of this bench, and the package in `library` to where they look for it. */
function programsWith(library: string, folder: string): string {
  const programs = join(folder, 'bench')
  for (const part of ['package.json', 'lib'])
    cpSync(join(library, part), join(folder, 'node_modules', 'sluice', part), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  cpSync(fileURLToPath(new URL('.', import.meta.url)), programs, { recursive: true })
  return programs
}
