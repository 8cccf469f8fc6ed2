/** The command as a process. What it does is tested in command.test.ts. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bareNode, built } from '../../built.ts'
import { checkVersion } from '../kit.ts'

const MAIN = join(built(), 'commands/supervise/main.js')

t.test('it runs, and ends', async t => {
  const url = `unix://${join(mkdtempSync(join(tmpdir(), 'sluice-')), 's')}`
  const child = spawn(...bareNode([MAIN, '--count', '2', '--rate', '100', url]))
  t.teardown(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk))
  t.strictSame(await once(child, 'close'), [0, null])
  t.match(out, /agents: 10 of 10 alive, queued 0, sent 20, received 20, lost 0, retries 0\n/)
})

t.test('the file itself: version from package.json', t => checkVersion(t, 'supervise', MAIN))
