/** src/commands/README.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/commands/README.md')
