/** The command line of sluice-echo. */

import t from 'tap'
import { HELP, parseOptions } from '../../../src/commands/echo/options.ts'
import { UsageError } from '../../../src/commands/usage.ts'

t.test('without options: port 4040 on every address, lines that end with \\n', async t => {
  t.strictSame(parseOptions([]), { kind: 'serve', address: 4040, delimiter: '\n', workers: 0 })
})

t.test('addresses', async t => {
  const cases: [string[], unknown][] = [
    [['--port', '0'], 0],
    [['--port=65535'], 65535],
    [['--port', '1', '--port', '2'], 2],
    [
      ['--host', 'localhost'],
      ['localhost', 4040],
    ],
    [
      ['--host', '::1', '--port', '4'],
      ['::1', 4],
    ],
    [['--unix', '/tmp/echo'], { path: '/tmp/echo' }],
    [['--unix', '4040'], { path: '4040' }],
  ]
  for (const [argv, address] of cases)
    t.match(parseOptions(argv), { kind: 'serve', address }, argv.join(' '))
})

t.test('workers', async t => {
  t.match(parseOptions(['--workers', '2']), { kind: 'serve', workers: 2 })
  t.match(parseOptions(['--workers', '256']), { workers: 256 })
  for (const text of ['0', 'x', '-1', '1.5', '257', '1000', '']) {
    t.throws(
      () => parseOptions([`--workers=${text}`]),
      new UsageError(`--workers must be a number from 1 to 256; got "${text}"`),
    )
  }
  t.throws(
    () => parseOptions(['--workers', '2', '--unix', '/tmp/echo']),
    new UsageError('--workers share a port: not with --unix'),
  )
})

t.test('delimiters: escapes, and text as its UTF-8 bytes, one character a byte', async t => {
  const cases: [string, string][] = [
    ['\\r\\n', '\r\n'],
    ['\\0', '\0'],
    ['\\t', '\t'],
    ['\\x1e', '\x1e'],
    ['\\xFf', '\xff'],
    ['\\\\n', '\\n'],
    ['END\\n', 'END\n'],
    ['\n', '\n'],
    ['é', '\xc3\xa9'],
  ]
  for (const [text, delimiter] of cases)
    t.match(parseOptions(['--delimiter', text]), { delimiter }, JSON.stringify(text))
})

t.test('help and version win over whatever else is asked for', async t => {
  t.strictSame(parseOptions(['--help']), { kind: 'help' })
  t.strictSame(parseOptions(['-h', '--port', 'x']), { kind: 'help' })
  t.strictSame(parseOptions(['--version']), { kind: 'version' })
  for (const option of ['--port', '--host', '--unix', '--delimiter', '--help', '--version'])
    t.match(HELP, option)
  t.ok(HELP.split('\n').every(line => line.length <= 80))
})

t.test('mistakes are one line that names the option', async t => {
  const cases: [string[], RegExp][] = [
    // An unset variable of a script: it listened on every address of the machine.
    [['--host', ''], /^--host must not be empty: leave it out for every address$/],
    [['--unix', ''], /^--unix must not be empty$/],
    [['--unix', 'é'.repeat(54)], /^--unix: a path has at most 107 bytes; this one has 108$/],
    [['--port', 'http'], /^--port must be a number from 0 to 65535; got "http"$/],
    [['--port', '65536'], /^--port .* "65536"$/],
    [['--port', '1e3'], /^--port .* "1e3"$/],
    [['--port', ''], /^--port .* ""$/],
    [['--port'], /^Option '--port <value>' argument missing$/],
    [['--port', '--host'], /^--port needs a value; one that begins with - is given as --port=-…$/],
    [['--prot', '1'], /^Unknown option '--prot'; did you mean --port\?$/],
    [['4040'], /^Unexpected argument '4040'$/],
    [['--help=yes'], /^Option '-h, --help' does not take an argument$/],
    [['--unix', 'a', '--port', '1'], /^--unix is instead of --port and --host/],
    [['--unix', 'a', '--host', 'b'], /^--unix is instead of/],
    [['--delimiter', ''], /^--delimiter must not be empty$/],
    [['--delimiter', '\\q'], /^--delimiter: \\q is no escape/],
    [['--delimiter', 'a\\'], /^--delimiter: \\ is no escape/],
    [['--delimiter', '\\x1'], /^--delimiter: \\x is no escape/],
  ]
  for (const [argv, message] of cases) {
    const error = thrown(argv)
    t.ok(error instanceof UsageError, argv.join(' '))
    t.match(error.message, message)
    t.notMatch(error.message, /\n/)
  }
})

function thrown(argv: string[]): Error {
  try {
    parseOptions(argv)
  } catch (error) {
    return error as Error
  }
  throw new Error(`nothing is wrong with ${argv.join(' ')}`)
}
