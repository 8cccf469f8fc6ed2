/**
 * Puts what the build has made of src/ where the tests import it from: from lib/ to .build/src/. To
 * compile it there once more takes a third of the time of compiling the tests. What differs is the
 * way that the maps go back to src/: it is one folder longer.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const [FROM, TO] = ['lib/', '.build/src/']

for (const name of readdirSync('src', { recursive: true })) {
  if (!name.endsWith('.ts')) continue
  const file = name.replace(/ts$/, 'js')
  mkdirSync(dirname(TO + file), { recursive: true })
  writeFileSync(TO + file, readFileSync(FROM + file))
  const map = readFileSync(`${FROM}${file}.map`, 'utf8')
  writeFileSync(`${TO}${file}.map`, map.replace('"sources":["', '"sources":["../'))
}
