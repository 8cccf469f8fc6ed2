import t from 'tap'
import { HELP, parseOptions } from '../../../src/commands/cat/options.ts'
import { UsageError } from '../../../src/commands/usage.ts'
import { ALIASES, PROTOCOLS } from '../../../src/messages/protocols.ts'

const plain = {
  kind: 'cat',
  from: 'a://',
  to: undefined,
  dumps: false,
  isBoth: false,
  isRaw: false,
  opening: '',
  wait: undefined,
}

t.test('what can be asked for', async t => {
  t.strictSame(parseOptions(['--help']), { kind: 'help' })
  t.strictSame(parseOptions(['-h', 'x']), { kind: 'help' })
  t.strictSame(parseOptions(['--version']), { kind: 'version' })
  t.strictSame(parseOptions(['a://']), plain)
  t.strictSame(parseOptions(['--dump', '--raw', '--wait', '5s', 'a://']), {
    ...plain,
    dumps: true,
    isRaw: true,
    wait: 5000,
  })
  t.strictSame(parseOptions(['--open', 'a=1', 'a://']), { ...plain, opening: 'a=1' })
  t.strictSame(parseOptions(['a://', 'b://', '--both']), { ...plain, to: 'b://', isBoth: true })
})

t.test('what is wrong', async t => {
  const cases: [argv: string[], message: string][] = [
    [[], 'a URL is missing'],
    [['a', 'b', 'c'], 'two URLs at the most; got 3'],
    [['--both', 'a'], '--both needs two URLs'],
    [['--raw', 'a', 'b'], '--raw is for one URL'],
    [['--wait', '5', 'a'], '--wait must be a time as 500ms or 5s; got "5"'],
    [['--no', 'a'], "Unknown option '--no'"],
  ]
  for (const [argv, message] of cases) t.throws(() => parseOptions(argv), new UsageError(message))
})

t.test('the help names all protocols', async t => {
  for (const protocol of [...PROTOCOLS.map(each => each.protocol), ...Object.keys(ALIASES)])
    t.ok(new RegExp(`\\s${protocol.replace('+', '\\+')}[\\s,.]`).test(HELP), protocol)
  t.ok(HELP.split('\n').every(line => line.length <= 80))
})
