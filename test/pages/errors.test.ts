/** src/channels/errors.md: what every page has. */

import { testPage } from './kit.ts'

testPage('src/channels/errors.md')
