import t from 'tap'
import { placeOf } from '../../../src/envelope/jobs/place.ts'

t.test('the first place of the program', async t => {
  const own = new URL('../../../src/envelope/jobs/job-runner.js', import.meta.url).href
  const error = new Error('at the door (/no/place.js:1:1)')
  const calls = [
    'node:internal/modules:325:25',
    `runJob (${own}:5:9)`,
    'async Promise.all (index 0)',
    'boom (file:///shop/jobs.mjs:3:9)',
    'file:///shop/jobs.mjs:5:1',
  ]
  const place = (...calls: string[]): string => {
    error.stack = [`Error: ${error.message}`, ...calls.map(call => `    at ${call}`)].join('\n')
    return placeOf(error)
  }
  t.equal(place(...calls), ' (file:///shop/jobs.mjs:3:9)')
  t.equal(place(...calls.slice(0, 3), ...calls.slice(4)), ' (file:///shop/jobs.mjs:5:1)')
  t.equal(place('work (/shop/jobs.cjs:3:9)'), ' (/shop/jobs.cjs:3:9)')
  t.equal(place('new Shop (C:\\shop\\jobs.cjs:3:9)'), ' (C:\\shop\\jobs.cjs:3:9)')
  t.equal(place(...calls.slice(0, 3)), '')
  t.same(['text', undefined, null].map(placeOf), ['', '', ''])
  t.match(placeOf(new Error('here')), /place\.test\.[jt]s:\d+:\d+\)$/)
})
