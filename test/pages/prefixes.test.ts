/** src/messages/prefixes/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/messages/prefixes/README.md')
