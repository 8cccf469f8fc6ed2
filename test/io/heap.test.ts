/** How much memory this process may have, and what happens to freed memory. */

import { execFileSync } from 'node:child_process'
import { getHeapStatistics } from 'node:v8'
import t from 'tap'
import { heapLimit, keepFreed } from '../../src/io/heap.ts'
import { bareNode, built } from '../built.ts'

t.test('is what V8 says', async t => {
  t.equal(heapLimit(), getHeapStatistics().heap_size_limit)
  t.ok(heapLimit() > 16 * 1024 * 1024)
})

/**
 * In half of its runs a server lost a sixth of its throughput to page faults: the garbage collector
 * frees the chunks of many reads at once, and the C library gave their memory back to the system.
 * Here: how often its heap becomes smaller when what was allocated is collected.
 */
t.test(
  'what is freed stays with the process',
  { skip: isGlibc() ? false : 'only glibc can be told' },
  async t => {
    const usual = [1, 2, 3, 4, 5].some(() => shrinksAfter('') > 0)
    t.ok(usual, 'if nothing is done it is given back, now and then')
    t.equal(shrinksAfter(`(await import('${built()}io/heap.js')).keepFreed()`), 0)
    t.equal(
      shrinksAfter(`new (await import('${built()}io/node.js')).NodeNetwork()`),
      0,
      'the default network sees to it',
    )
  },
)

t.test('once is enough', async t => {
  const before = process.memoryUsage().arrayBuffers
  keepFreed()
  keepFreed()
  t.ok(process.memoryUsage().arrayBuffers - before < 5 * 2 ** 20)
})

function isGlibc(): boolean {
  const { header } = process.report.getReport() as unknown as {
    header: { glibcVersionRuntime?: string }
  }
  return header.glibcVersionRuntime !== undefined
}

/**
 * 100 collections of 25 blocks each. A block is a bit smaller than what glibc maps on its own. The
 * first ten collections do not count.
 */
function shrinksAfter(first: string): number {
  const script = `
    import { readFileSync } from 'node:fs'
    ${first}
    const heap = /([0-9a-f]+)-([0-9a-f]+) .*\\[heap\\]/
    const size = () => {
      const [, from, to] = heap.exec(readFileSync('/proc/self/maps', 'latin1'))
      return parseInt(to, 16) - parseInt(from, 16)
    }
    let shrinks = 0
    for (let i = 0; i < 110; i++) {
      for (let j = 0; j < 25; j++) Buffer.allocUnsafeSlow(100_000)
      const before = size()
      gc()
      await new Promise(setImmediate)
      if (i >= 10 && size() < before) shrinks++
    }
    console.log(shrinks)`
  return Number(
    execFileSync(...bareNode(['--expose-gc', '--input-type=module', '-e', script]), {
      encoding: 'utf8',
    }),
  )
}
