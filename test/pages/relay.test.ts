/** src/relay/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/relay/README.md')
