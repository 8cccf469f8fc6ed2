/** The tests of what stands in src/ itself, and of the whole. */

import { together } from '../together.ts'

await together([''])
