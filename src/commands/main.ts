/**
 * Layer 10. What the main.ts of every command begins with: the process that it runs in.
 */

import { createReadStream, fstatSync, type ReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { Engine } from '../engine.ts'
import { codeOf, messageOf } from '../errors.ts'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/**
 * The process, as the Host of the command with that name.
 *
 * If nobody reads stdout any more, it ends with the code of a process that SIGPIPE has ended. A
 * disk that is full is something else: what was printed is lost. Nobody needs to read stderr.
 */
export function thisProcess(command: string) {
  const { stdout, stderr } = process
  stderr.on('error', () => {})
  stdout.on('error', error => {
    const isClosed = codeOf(error) === 'EPIPE'
    if (!isClosed) stderr.write(`${command}: cannot print: ${messageOf(error)}\n`)
    process.exit(isClosed ? 141 : 1)
  })
  return {
    stdout,
    stderr,
    signals: process,
    version,
    engine: Engine.instance(),
    exit: (code: number): void => process.exit(code),
    isUnderNpm: process.env.npm_lifecycle_event === 'start',
  }
}

/** Node takes a directory, or a block device, for an input that has ended. */
export function standardInput(fd = 0): ReadStream | typeof process.stdin {
  const stat = fstatSync(fd)
  return stat.isDirectory() || stat.isBlockDevice()
    ? createReadStream('', { fd, autoClose: false })
    : process.stdin
}
