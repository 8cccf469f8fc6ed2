/** src/core/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/core/README.md')
