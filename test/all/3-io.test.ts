/** The tests that start processes or servers. */

import { together } from '../together.ts'

await together(['io', 'relay', 'commands'])
