import t from 'tap'
import {
  COMMON_OPTIONS,
  informationOf,
  parseArguments,
  parseWhole,
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
  t.strictSame(informationOf({ help: true, version: true }), { kind: 'help' })
  t.strictSame(informationOf({ version: true }), { kind: 'version' })
  t.equal(informationOf({}), undefined)
})

t.test('whole numbers', async t => {
  t.equal(parseWhole('--port', '0', 0, 65_535), 0)
  t.equal(parseWhole('--port', '65535', 0, 65_535), 65_535)
  for (const text of ['', ' 1', '-1', '1.5', '1e3', '0x1', 'x', '65536', '9'.repeat(16)]) {
    t.throws(
      () => parseWhole('--port', text, 0, 65_535),
      new UsageError(`--port must be a number from 0 to 65535; got ${JSON.stringify(text)}`),
    )
  }
})
