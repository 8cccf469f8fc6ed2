/** The command line of sluice-rooms. */

import t from 'tap'
import { HELP, parseOptions } from '../../../src/commands/rooms/options.ts'
import { UsageError } from '../../../src/commands/usage.ts'

t.test('without options', async t => {
  t.strictSame(parseOptions([]), {
    kind: 'serve',
    port: 8000,
    host: undefined,
    urls: [],
    relay: 'memory:',
    history: 1000,
  })
  t.match(HELP, /Usage: sluice-rooms/)
})

t.test('with all', async t => {
  const argv = ['--port', '0', '--host', '::1', '--listen', 'tcp://:1', '--listen', 'mem://a']
  t.strictSame(parseOptions([...argv, '--relay', 'redis://localhost', '--history', '0']), {
    kind: 'serve',
    port: 0,
    host: '::1',
    urls: ['tcp://:1', 'mem://a'],
    relay: 'redis://localhost',
    history: 0,
  })
  t.strictSame(parseOptions(['--nonsense', '--help'].slice(1)), { kind: 'help' })
  t.strictSame(parseOptions(['--version', '--port', 'x']), { kind: 'version' })
})

t.test('what is wrong', async t => {
  for (const [argv, message] of [
    [['--port', '65536'], '--port must be a number from 0 to 65535; got "65536"'],
    [['--history=-1'], '--history must be a number from 0 to 1000000; got "-1"'],
    [['--host', ''], '--host must not be empty: leave it out for every address'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ] as const)
    t.throws(() => parseOptions(argv), new UsageError(message))
})
