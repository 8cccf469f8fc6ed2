/**
 * Which tests can share one take of coverage: those of which none can run what another is about.
 * A test can run what it imports, and what that imports, and so on. Of 380 unit tests a hundred
 * batches are made; a take costs ten milliseconds, as V8 walks all functions that there are.
 */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export interface Batched {
  /** The file of the test. */
  readonly file: string
  /** The file of src/ that it is about, if there is one. */
  readonly source: string | undefined
}

/** The tests in batches, in their order as far as that is possible. */
export function batchesOf<Of extends Batched>(tests: readonly Of[]): Of[][] {
  const reached = new Map(tests.map(test => [test, reachOf(test.file)]))
  const canRun = (one: Of, other: Of): boolean =>
    other.source !== undefined && reached.get(one)!.has(other.source)
  const batches: Of[][] = []
  for (const test of tests) {
    const batch = batches.find(
      batch => !batch.some(each => canRun(each, test) || canRun(test, each)),
    )
    if (batch === undefined) batches.push([test])
    else batch.push(test)
  }
  return batches
}

/** A file, all files that it imports, and those import. Declarations may be among them. */
export function reachOf(file: string, reached = new Set<string>()): Set<string> {
  if (reached.has(file)) return reached
  reached.add(file)
  for (const imported of importsOf(file)) reachOf(imported, reached)
  return reached
}

const known = new Map<string, readonly string[]>()

function importsOf(file: string): readonly string[] {
  let found = known.get(file)
  if (found === undefined) {
    const named = readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)
    found = [...named].flatMap(([, name]) => {
      const path = resolve(dirname(file), name!)
      return [path, path.replace(/\.ts$/, '.d.ts')].filter(existsSync)
    })
    known.set(file, found)
  }
  return found
}
