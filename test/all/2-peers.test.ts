/** The tests with real peers: they wait long. All of them use one Chromium. */

import { shareChromium } from '../chromium.ts'
import { together } from '../together.ts'

const end = await shareChromium()
await together(['peers'])
await end()
