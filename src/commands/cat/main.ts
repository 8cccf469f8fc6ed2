#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-cat`. What it does is in command.ts.
 */

import { codeOf, messageOf } from '../../errors.ts'
import { thisProcess } from '../main.ts'
import { command } from './command.ts'

const host = { ...thisProcess(), stdin: process.stdin }

// If nobody reads stdout any more, the command ends with the code of one that SIGPIPE has ended. A
// disk that is full is something else: what was printed is lost.
process.stdout.on('error', error => {
  const isClosed = codeOf(error) === 'EPIPE'
  if (!isClosed) process.stderr.write(`sluice-cat: cannot print: ${messageOf(error)}\n`)
  process.exit(isClosed ? 141 : 1)
})

process.exitCode = await command(process.argv.slice(2), host)
