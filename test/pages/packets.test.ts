/** src/packets/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/packets/README.md')
