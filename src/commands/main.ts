/**
 * Layer 10. What the main.ts of every command begins with: the process that it runs in.
 */

import { createRequire } from 'node:module'
import { Engine } from '../engine.ts'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/**
 * The process, as the Host of a command. From now on it is no error if nobody reads an output any
 * more: the reader may go away before the command does.
 */
export function thisProcess() {
  const { stdout, stderr } = process
  for (const output of [stdout, stderr]) output.on('error', () => {})
  return {
    stdout,
    stderr,
    signals: process,
    version,
    engine: Engine.instance(),
    exit: (code: number): void => process.exit(code),
    isUnderNpm: process.env.npm_lifecycle_event === 'start',
  }
}
