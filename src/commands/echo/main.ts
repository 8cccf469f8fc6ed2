#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-echo`; what it does is in command.ts.
 */

import cluster from 'node:cluster'
import { createRequire } from 'node:module'
import { Engine } from '../../engine.ts'
import { command } from './command.ts'

const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }

// Who reads our lines may go away before we do.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {})

process.exitCode = await command(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  version,
  engine: Engine.instance(),
  cluster,
  exit: code => process.exit(code),
  isUnderNpm: process.env.npm_lifecycle_event === 'start',
})
