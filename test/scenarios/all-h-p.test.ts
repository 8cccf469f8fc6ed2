/** The tests of this folder in three processes, see together.ts: they take longest. This is one. */

import { together } from '../together.ts'

await together(import.meta.url, /\/[h-p]/)
