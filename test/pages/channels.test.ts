/** src/channels/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/channels/README.md')
