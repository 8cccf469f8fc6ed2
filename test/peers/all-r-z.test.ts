/** The tests of this folder in two processes, see together.ts: they wait long. This is one. */

import { together } from '../together.ts'

await together(import.meta.url, /\/[r-z]/)
