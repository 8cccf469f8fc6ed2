/** src/testing.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/testing.md')
