/** The pages of the guide: their programs run in one process. */

import { runPrograms } from '../pages/kit.ts'
import { together } from '../together.ts'

runPrograms()
await together(['pages'])
