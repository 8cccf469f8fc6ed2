/**
 * A file that another process writes to and that the real logrotate rotates, read by `file://` with
 * autoclose=no: no line is lost, and none is invented.
 */

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { Context } from '../../src/messages/context.ts'
import { bareNode } from '../built.ts'
import { until } from '../kit.ts'

const PATHS = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
const { error } = spawnSync('logrotate', ['--version'], { env: PATHS })
const skip = error === undefined ? false : 'logrotate is not installed'

/** Appends numbered lines, each by the name of the file, as a shell does with >>. */
const WRITER = `
const fs = require('node:fs')
const [path, last] = process.argv.slice(1)
let n = 0
const write = () => {
  fs.appendFileSync(path, 'line ' + n + '\\n')
  if (++n < last) setTimeout(write, 1)
}
write()
`

async function rotated(t: Test, how: string, count: number): Promise<number[]> {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'logs'), { mode: 0o755 })
  const path = join(folder, 'logs', 'log')
  writeFileSync(path, '')
  writeFileSync(
    join(folder, 'conf'),
    `${path} {\n  su root root\n  rotate 1000\n  size 1\n  missingok\n  ${how}\n}\n`,
  )
  chmodSync(join(folder, 'conf'), 0o644)
  const engine = new Engine()
  // A file that was renamed is read for one interval more. On a busy machine the writer may stand
  // still between opening a file and writing to it: once 5 ms were too short, and a line was lost.
  const interval = how === 'create' ? '200ms' : '5ms'
  const url = `file://${path};frame=line;autoclose=no;interval=${interval}`
  const reader = new Context({ engine }).init(url)
  const lines: string[] = []
  reader.on_message = ({ data }) => void lines.push(String(data))
  reader.on_error = error => t.fail(error.message)
  await reader.open().opened
  const writer = spawn(...bareNode(['-e', WRITER, path, String(count)]))
  const isDone = new Promise(done => writer.on('exit', done))
  let isWriting = true
  void isDone.then(() => (isWriting = false))
  while (isWriting) {
    // Not spawnSync: the reader goes on meanwhile.
    const argv = ['-f', '-s', join(folder, 'state'), join(folder, 'conf')]
    const logrotate = spawn('logrotate', argv, { env: PATHS, stdio: 'ignore' })
    await new Promise(done => logrotate.on('exit', done))
    await new Promise(done => engine.defer(150, () => done(undefined)))
    // A file that was renamed before the reader saw it is lost to it, on a busy machine too.
    if (how === 'create') await until(() => !isWriting || isRead(path, lines))
  }
  if (how === 'create') await until(() => lines.includes(`line ${count - 1}`))
  let before = -1
  while (before !== lines.length) {
    before = lines.length
    await new Promise(done => engine.defer(200, () => done(undefined)))
  }
  reader.close()
  const whole = lines.filter(line => /^line \d+$/.test(line))
  // A file that was cut off, and has grown beyond where the reader was, is read from there on.
  if (how === 'create') t.equal(whole.length, lines.length, 'no line is invented')
  return whole.map(line => Number(line.slice(5)))
}

/** Has the reader come to this file? */
function isRead(path: string, lines: readonly string[]): boolean {
  const [first = ''] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return lines.includes(first)
}

t.test('by renaming', { skip }, async t => {
  const numbers = await rotated(t, 'create', 500)
  t.strictSame(numbers, [...Array(500).keys()], 'none is lost')
})

// What is written between copying and cutting off is lost to everybody, says its manual. On a busy
// machine that may be much.
t.test('by copying and cutting off', { skip }, async t => {
  const numbers = await rotated(t, 'copytruncate', 500)
  t.ok(numbers.every((number, index) => index === 0 || number > numbers[index - 1]!))
  t.ok(numbers.length > 0, `${numbers.length} of 500`)
})
