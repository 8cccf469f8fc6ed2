import t from 'tap'
import { HELP, parseOptions } from '../../../src/commands/supervise/options.ts'

t.test('defaults', async t => {
  t.strictSame(parseOptions([]), {
    kind: 'run',
    url: 'ws://127.0.0.1:8080/socket',
    parts: ['router', 'supervisor', 'agents'],
    agents: 10,
    rate: 10,
    count: Infinity,
    interval: undefined,
    relay: undefined,
  })
  t.match(parseOptions(['--relay', 'redis://a']), { relay: 'redis://a' })
  t.match(parseOptions(['--only', 'agents', '--count', '5', '--interval', '100', 'tcp://a:1']), {
    url: 'tcp://a:1',
    parts: ['agents'],
    count: 5,
    interval: 100,
  })
})

t.test('help and version', async t => {
  t.strictSame(parseOptions(['--help']), { kind: 'help' })
  t.strictSame(parseOptions(['--version']), { kind: 'version' })
  for (const line of HELP.split('\n')) t.ok(line.length <= 80, line)
})

t.test('mistakes', async t => {
  for (const [argv, message] of [
    [['--only', 'people'], /--only must be router, supervisor, agents; got "people"/],
    [['--agents', '0'], /--agents must be a number from 1 to 100000/],
    [['--rate', '1001'], /--rate/],
    [['--count', 'x'], /--count/],
    [['--interval', '1'], /--interval/],
    [['a:1', 'b:2'], /one URL at most; got 2/],
    [['--unknown'], /--unknown/],
    [['nowhere'], /nowhere/],
  ] as [string[], RegExp][])
    t.throws(() => parseOptions(argv), message)
})
