/** The tests that wait for nothing: see together.ts. */

import { together } from '../together.ts'

await together(['core', 'channels', 'protocols', 'messages', 'rooms', 'packets', 'envelope'])
