/** src/channels/requests.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/channels/requests.md')
