/**
 * Layer 2. Loads a module by its name at run time.
 */

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What it exports. './x.js' and '/x.js' are paths, from the current directory on; anything else is a name as `import` takes it. */
export async function loadModule(specifier: string): Promise<Readonly<Record<string, unknown>>> {
  const isPath = /^\.{0,2}\//.test(specifier)
  const name = isPath ? pathToFileURL(resolve(specifier)).href : specifier
  return (await import(name)) as Record<string, unknown>
}
