/** src/protocols/redis/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/protocols/redis/README.md')
