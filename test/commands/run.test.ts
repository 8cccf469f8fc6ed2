import t from 'tap'
import { type Command, oneLine, runCommand } from '../../src/commands/run.ts'
import { type Information, UsageError } from '../../src/commands/usage.ts'
import { InvalidAddressError } from '../../src/errors.ts'
import { Url } from '../../src/messages/url.ts'

interface Work {
  readonly kind: 'work'
}

/** Runs a command that does `run`; its exit code, and what it said. */
async function outcome(
  request: Work | Information,
  run: Command<Work>['run'] = async () => 0,
): Promise<[code: number, out: string, err: string]> {
  let out = ''
  let err = ''
  const host = {
    version: '1.2.3',
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  }
  const parse = (argv: readonly string[]): Work | Information => {
    t.strictSame(argv, ['an', 'argument'])
    return request
  }
  const command = { name: 'a-command', help: 'Usage: …\n', parse, run }
  return [await runCommand(command, ['an', 'argument'], host), out, err]
}

const WORK: Work = { kind: 'work' }

t.test('the work: its exit code, and its lines after the name of the command', async t => {
  const run: Command<Work>['run'] = async (request, say) => {
    t.equal(request, WORK)
    say('one\n two')
    return 7
  }
  t.strictSame(await outcome(WORK, run), [7, '', 'a-command: one\n two\n'])
})

t.test('help and version go to stdout', async t => {
  t.strictSame(await outcome({ kind: 'help' }), [0, 'Usage: …\n', ''])
  t.strictSame(await outcome({ kind: 'version' }), [0, '1.2.3\n', ''])
})

t.test('mistakes of the user: code 2, one line, or a URL with a mark under it', async t => {
  const failing = (error: () => unknown) =>
    outcome(WORK, async () => {
      throw error()
    })
  t.strictSame(await failing(() => new UsageError('no\n such thing')), [
    2,
    '',
    'a-command: no such thing (--help lists the options)\n',
  ])
  const [code, , err] = await failing(() => new InvalidAddressError('x', 'no address'))
  t.equal(code, 2)
  t.match(err, /^a-command: .*no address.* \(--help lists the options\)\n$/)
  const [urlCode, , shown] = await outcome(WORK, async () => {
    Url.parse('tcp//nowhere')
    return 0
  })
  t.equal(urlCode, 2)
  t.match(shown, /^a-command: .*\n {2}tcp\/\/nowhere\n *\^+\n$/)
  t.notMatch(shown, /--help/)
})

t.test('any other error is not passed off as a mistake of the user', async t => {
  await t.rejects(
    outcome(WORK, async () => {
      throw new TypeError('ours')
    }),
    new TypeError('ours'),
  )
})

t.test('one line', async t => {
  t.equal(oneLine('one \r\n  two\n\nthree'), 'one two three')
})
