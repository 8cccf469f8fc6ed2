/** src/rooms/server/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/rooms/server/README.md')
