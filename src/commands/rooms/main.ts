#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-rooms`. What it does is in command.ts.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { thisProcess } from '../main.ts'
import { command } from './command.ts'

/** A file of the package: this module is three folders below it, in src/ and in lib/. */
const read = (name: string): string =>
  readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')

const host = {
  ...thisProcess('sluice-rooms'),
  createServer,
  page: () => read('src/commands/rooms/page.html'),
  script: () => read('lib/rooms/sluice-rooms.js'),
}

process.exitCode = await command(process.argv.slice(2), host)
