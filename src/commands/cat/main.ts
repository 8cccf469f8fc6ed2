#!/usr/bin/env node
/**
 * Layer 10. The process of the command `sluice-cat`. What it does is in command.ts.
 */

import { createReadStream, fstatSync } from 'node:fs'
import { thisProcess } from '../main.ts'
import { command } from './command.ts'

/** Node takes a directory, or a block device, for an input that has ended. */
function stdin() {
  const stat = fstatSync(0)
  return stat.isDirectory() || stat.isBlockDevice()
    ? createReadStream('', { fd: 0, autoClose: false })
    : process.stdin
}

const host = { ...thisProcess('sluice-cat'), stdin: stdin() }

process.exitCode = await command(process.argv.slice(2), host)
