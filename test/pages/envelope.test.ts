/** src/envelope/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/envelope/README.md')
