import t from 'tap'
import {
  checkHost,
  COMMON_OPTIONS,
  parseArguments,
  parseWhole,
  readOptions,
  TEXT,
  UsageError,
} from '../../src/commands/usage.ts'

t.test(
  'arguments are those of util.parseArgs; a mistake is the first sentence of Node',
  async t => {
    const parse = (...args: string[]) =>
      parseArguments({ args, options: { ...COMMON_OPTIONS, port: { type: 'string' } } })
    t.match(parse('--port', '5', '-h'), { values: { port: '5', help: true }, positionals: [] })
    t.throws(
      () => parse('--prot', '5'),
      new UsageError("Unknown option '--prot'; did you mean --port?"),
    )
    t.throws(() => parse('--speed', '5'), new UsageError("Unknown option '--speed'"))
    t.throws(() => parse('--port'), new UsageError("Option '--port <value>' argument missing"))
    t.throws(
      () => parse('--port', '-1'),
      new UsageError('--port needs a value; one that begins with - is given as --port=-…'),
    )
  },
)

t.test('help wins over version, and both over everything else', async t => {
  const read = (...argv: string[]) =>
    readOptions(argv, { options: { port: TEXT } }, ({ values: { port } }) => {
      if (port === 'none') throw new UsageError('no port')
      return { kind: 'serve', port }
    })
  t.strictSame(read('--version', '--help', '--port', 'none'), { kind: 'help' })
  t.strictSame(read('--port', 'none', '--version'), { kind: 'version' })
  t.strictSame(read('--port', '5'), { kind: 'serve', port: '5' })
  // Some commands said that these are wrong, and some showed the help.
  for (const wrong of ['extra', '--prot', '--port']) {
    t.strictSame(read('--help', wrong), { kind: 'help' })
    t.strictSame(read('-h', wrong), { kind: 'help' })
  }
  t.throws(() => read('--help=1'), /does not take an argument/)
  t.throws(() => read('--port', 'none'), new UsageError('no port'))
})

t.test('an empty host is no host', async t => {
  t.strictSame([checkHost('localhost'), checkHost(undefined)], ['localhost', undefined])
  t.throws(() => checkHost(''), /--host must not be empty/)
})

t.test('whole numbers', async t => {
  t.equal(parseWhole('--port', '0', 0, 65_535), 0)
  t.equal(parseWhole('--port', '65535', 0, 65_535), 65_535)
  t.equal(parseWhole('--port', undefined, 0, 65_535, 4040), 4040)
  for (const text of ['', ' 1', '-1', '1.5', '1e3', '0x1', 'x', '65536', '9'.repeat(16)]) {
    t.throws(
      () => parseWhole('--port', text, 0, 65_535),
      new UsageError(`--port must be a number from 0 to 65535; got ${JSON.stringify(text)}`),
    )
  }
})
