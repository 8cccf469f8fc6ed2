/** src/rooms/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/rooms/README.md')
