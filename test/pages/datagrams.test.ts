/** src/channels/datagrams.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/channels/datagrams.md')
