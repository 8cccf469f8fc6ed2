/** The scenarios take longest: they are in three processes. */

import { together } from '../together.ts'

await together(['scenarios'], /\/[h-p]/)
