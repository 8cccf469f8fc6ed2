/** src/engine.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/engine.md')
