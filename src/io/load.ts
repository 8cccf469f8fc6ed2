/**
 * Layer 2. Loads what a program names at run time: a module, a small text. `Files.load_module` and
 * `Files.load_text` of the machine.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Returns the exports of a module. './x.js' and '/x.js' are paths, from the current directory on;
 * anything else is a name as `import` takes it.
 */
export async function loadModule(specifier: string): Promise<Readonly<Record<string, unknown>>> {
  const isPath = /^\.{0,2}\//.test(specifier)
  const name = isPath ? pathToFileURL(resolve(specifier)).href : specifier
  return (await import(name)) as Record<string, unknown>
}

/** A small file (a certificate, a key) as text. Throws the error of the system. */
export function loadText(path: string): string {
  return readFileSync(path, 'utf8')
}
