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

/** The type of an option that has a value. */
export const TEXT = { type: 'string' } as const

/** Of one that may be given several times. */
export const TEXTS = { type: 'string', multiple: true } as const

/** Of one that is given or not. */
export const FLAG = { type: 'boolean' } as const

/**
 * Reads the arguments that follow the name of a command. `--help` and `--version` win over
 * everything else, mistakes included; if neither is there, `toRequest` says what is asked for.
 * Throws UsageError.
 */
export function readOptions<Config extends ParseArgsConfig, Request>(
  argv: readonly string[],
  config: Config,
  toRequest: (read: ReturnType<typeof parseArgs<Config>>) => Request,
): Request | Information {
  const options = { ...config.options, ...COMMON_OPTIONS }
  const args = [...argv]
  const { help, version } = parseArgs({ args, options, strict: false }).values
  if (help === true) return { kind: 'help' }
  if (version === true) return { kind: 'version' }
  const read = parseArguments({ ...config, args, options })
  return toRequest(read as ReturnType<typeof parseArgs<Config>>)
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
export function parseWhole<Otherwise = never>(
  option: string,
  text: string | undefined,
  least: number,
  most: number,
  otherwise?: Otherwise,
): number | Otherwise {
  if (text === undefined) return otherwise as Otherwise
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  throw new UsageError(
    `${option} must be a number from ${least} to ${most}; got ${JSON.stringify(text)}`,
  )
}

/** An empty one is an unset variable of a script. It must not open the server to everybody. */
export function checkHost(host: string | undefined): string | undefined {
  if (host === '') throw new UsageError('--host must not be empty: leave it out for every address')
  return host
}
