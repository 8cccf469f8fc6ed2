#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-worker`. What it does is in command.ts.
 */

import { thisProcess } from '../main.ts'
import { command } from './command.ts'

// Not by exitCode: the module may have connections of its own, which nobody else can close.
process.exit(await command(process.argv.slice(2), thisProcess('sluice-worker')))
