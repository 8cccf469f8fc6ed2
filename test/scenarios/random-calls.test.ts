/**
 * Random calls in random hooks, of servers, clients and datagrams, with seeds that are always the
 * same. For more rounds: npm run fuzz -- calls.
 */

import t from 'tap'
import { playRounds } from '../fuzz/target.ts'
import { CALLS } from '../fuzz/targets.ts'

for (const [target, rounds] of CALLS)
  t.test(`${target.name}: ${rounds} rounds`, async t =>
    t.same(await playRounds(target, 1, rounds), []),
  )
