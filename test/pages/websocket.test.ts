/** src/protocols/websocket/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/protocols/websocket/README.md')
