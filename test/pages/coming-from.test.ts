/** src/coming-from.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/coming-from.md')
