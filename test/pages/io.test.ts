/** src/io/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/io/README.md')
