#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-supervise`. What it does is in command.ts.
 */

import { createServer } from 'node:http'
import { thisProcess } from '../main.ts'
import { command } from './command.ts'

const host = {
  ...thisProcess('sluice-supervise'),
  term: process.env.TERM,
  http: createServer,
}

process.exitCode = await command(process.argv.slice(2), host)
