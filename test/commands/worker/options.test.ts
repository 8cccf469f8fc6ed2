import t from 'tap'
import { UsageError } from '../../../src/commands/usage.ts'
import { parseOptions } from '../../../src/commands/worker/options.ts'

const queue = ['--queue', 'redis://localhost']

t.test('what it asks for', async t => {
  t.same(parseOptions([...queue, './jobs.js']), {
    kind: 'work',
    module: './jobs.js',
    queue: 'redis://localhost',
    names: ['default'],
    count: 16,
    threads: 0,
    tries: 3,
    lease: 30,
  })
  const argv = '--name a --name b --name a --count 2 --threads 3 --tries 1 --lease 5 jobs'.split(
    ' ',
  )
  t.match(parseOptions([...queue, ...argv]), {
    module: 'jobs',
    names: ['a', 'b'],
    count: 2,
    threads: 3,
    tries: 1,
    lease: 5,
  })
  t.same(parseOptions(['--version']), { kind: 'version' })
})

t.test('mistakes', async t => {
  for (const [argv, message] of [
    [queue, /one module/],
    [[...queue, 'a', 'b'], /one module/],
    [['a'], /--queue is missing/],
    [['--queue', 'localhost', 'a'], /--queue must be a URL such as redis:/],
    [[...queue, '--count', '0', 'a'], /--count must be/],
    [[...queue, '--cuont', '1', 'a'], /--cuont/],
  ] as const)
    t.throws(() => parseOptions(argv), { constructor: UsageError, message })
})
