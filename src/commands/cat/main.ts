#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-cat`. What it does is in command.ts.
 */

import { thisProcess } from '../main.ts'
import { command } from './command.ts'

const host = { ...thisProcess(), stdin: process.stdin }

// If nobody reads stdout any more, the command ends with the code of one that SIGPIPE has ended.
process.stdout.on('error', () => process.exit(141))

process.exitCode = await command(process.argv.slice(2), host)
