/**
 * Layer 10. The command line of every command: reading it, and what is said if it is invalid.
 *
 * Rule: every mistake is a UsageError, with a message of one line for the person who typed it.
 */

import { parseArgs, type ParseArgsConfig } from 'node:util'
import { nearest } from '../core/nearest.ts'

/** The command line is invalid. */
export class UsageError extends Error {}

/** What every command can be asked for instead of its work. */
export interface Information {
  readonly kind: 'help' | 'version'
}

/** The options that every command has. */
export const COMMON_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** Is it `--help` or `--version`? They win over everything else on the command line. */
export function informationOf(values: {
  readonly help?: boolean | undefined
  readonly version?: boolean | undefined
}): Information | undefined {
  if (values.help) return { kind: 'help' }
  return values.version ? { kind: 'version' } : undefined
}

/** `util.parseArgs`. Throws UsageError if an option is unknown or lacks its value. */
export function parseArguments<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const { message } = error as Error
    const [, option] = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message) ?? []
    if (option !== undefined)
      throw new UsageError(
        `${option} needs a value; one that begins with - is given as ${option}=-…`,
      )
    const [, unknown = ''] = /^Unknown option '-+([\w-]+)'/.exec(message) ?? []
    const meant = nearest(unknown, Object.keys({ ...config.options }))
    const advice = meant === undefined ? '' : `; did you mean --${meant}?`
    // What Node says after its first sentence is advice for another kind of command.
    throw new UsageError(`${message.split(/\.?\n|\. (?=[A-Z])/)[0]}${advice}`)
  }
}

/** The value of `option` as a whole number from `least` to `most`. Throws UsageError. */
export function parseWhole(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  throw new UsageError(
    `${option} must be a number from ${least} to ${most}; got ${JSON.stringify(text)}`,
  )
}
