/**
 * Everything that reads bytes or text, with seeded random input: what is right comes back as it was
 * given, what is not is refused by a named error, and chunks make no difference. For more rounds:
 * npm run fuzz.
 */

import t from 'tap'
import { rounds } from '../core/oracle.ts'
import { playRounds } from '../fuzz/target.ts'
import { PARSERS } from '../fuzz/targets.ts'

for (const [target, few] of PARSERS)
  t.test(`${target.name}: ${rounds(few)} rounds`, async t =>
    t.same(await playRounds(target, 1, rounds(few)), []),
  )
