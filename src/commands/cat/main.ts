#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-cat`; what it does is in command.ts.
 */

import { createRequire } from 'node:module'
import { Engine } from '../../engine.ts'
import { command } from './command.ts'

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }

// Who read what we print has gone: so do we, with the code of a command that SIGPIPE has ended. Our
// lines on stderr may go nowhere.
process.stdout.on('error', () => process.exit(141))
process.stderr.on('error', () => {})

process.exitCode = await command(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  version,
  engine: Engine.instance(),
  exit: code => process.exit(code),
})
