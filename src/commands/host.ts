/**
 * Layer 10. What every command needs of the process it runs in. The real process hands itself over
 * in main.ts; a test makes one of its own. A command that needs more extends the interface.
 */

import type { Engine } from '../engine.ts'

export interface Host {
  /** Takes what the command was asked for, and nothing else. */
  readonly stdout: { write(text: string): unknown }
  /** Takes everything else that the command says. */
  readonly stderr: { write(text: string): unknown }
  /** Emits a signal under its name, once each time it arrives. */
  readonly signals: {
    on(signal: Signal, listener: (signal: Signal) => void): unknown
    off(signal: Signal, listener: (signal: Signal) => void): unknown
  }
  /** The version of the package. */
  readonly version: string
  /** Ends the process at once. */
  exit(code: number): void
  /** Was the process started by `npm start`? Default: no. */
  readonly isUnderNpm?: boolean
  readonly engine: Engine
}

/** The signals that stop a command. */
export type Signal = 'SIGINT' | 'SIGTERM'

/** Writes a line to stderr, after the name of the command. */
export type Say = (text: string) => void
