#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-cat`. What it does is in command.ts.
 */

import { standardInput, thisProcess } from '../main.ts'
import { command } from './command.ts'

const host = { ...thisProcess('sluice-cat'), stdin: standardInput() }

process.exitCode = await command(process.argv.slice(2), host)
