/**
 * Random calls in random hooks, of servers, clients and datagrams, and of rooms, with seeds that
 * are always the same. For more rounds: npm run fuzz -- calls rooms.
 */

import t from 'tap'
import { rounds } from '../core/oracle.ts'
import { playRounds } from '../fuzz/target.ts'
import { CALLS } from '../fuzz/targets.ts'

for (const [target, few] of CALLS)
  t.test(`${target.name}: ${rounds(few)} rounds`, async t =>
    t.same(await playRounds(target, 1, rounds(few)), []),
  )
