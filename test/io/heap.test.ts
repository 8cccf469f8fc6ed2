/** How much memory this process may have. */

import { getHeapStatistics } from 'node:v8'
import t from 'tap'
import { heapLimit } from '../../src/io/heap.ts'

t.test('is what V8 says', async t => {
  t.equal(heapLimit(), getHeapStatistics().heap_size_limit)
  t.ok(heapLimit() > 16 * 1024 * 1024)
})
