/** src/channels/servers.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/channels/servers.md')
