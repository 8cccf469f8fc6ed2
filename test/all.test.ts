/** The tests of what stands in src/ itself, and of the whole, in one process: see together.ts. */

import { together } from './together.ts'

await together(import.meta.url)
