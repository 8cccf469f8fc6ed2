#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-echo`. What it does is in command.ts.
 */

import cluster from 'node:cluster'
import { thisProcess } from '../main.ts'
import { command } from './command.ts'

const host = { ...thisProcess('sluice-echo'), cluster }

process.exitCode = await command(process.argv.slice(2), host)
