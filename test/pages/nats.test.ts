/** src/protocols/nats/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/protocols/nats/README.md')
