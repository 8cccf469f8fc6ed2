/** The tests of this folder in one process, see together.ts. */

import { together } from '../together.ts'

await together(import.meta.url)
