/**
 * Layer 10. The frame that every command runs in.
 *
 * runCommand → parse → run, or --help or --version → the exit code: that of `run`, or 2 if the
 * command line is invalid.
 *
 * Rules:
 * 1. stdout takes what was asked for, --help and --version included; everything else is said on
 *    stderr, after the name of the command.
 * 2. A mistake of the user never shows a stack. It is one line, except that an invalid URL is shown
 *    with a mark under the part that is wrong.
 */

import { InvalidAddressError, UrlError } from '../errors.ts'
import type { Host, Say } from './host.ts'
import { type Information, UsageError } from './usage.ts'

/** What is special about one command. */
export interface Command<Request> {
  /** The name, as it is typed. */
  readonly name: string
  /** The text of `--help`. */
  readonly help: string
  /** Reads the arguments that follow the name. Throws UsageError. */
  parse(argv: readonly string[]): Request | Information
  /**
   * Does what was asked for; resolves with the exit code when it is done. A UsageError, an
   * InvalidAddressError or a UrlError that it throws is a mistake of the user.
   */
  run(request: Request, say: Say): Promise<number>
}

/** Runs a command with the arguments that follow its name; resolves with the exit code. */
export async function runCommand<Request extends { readonly kind: string }>(
  command: Command<Request>,
  argv: readonly string[],
  host: Pick<Host, 'stdout' | 'stderr' | 'version'>,
): Promise<number> {
  const say: Say = text => void host.stderr.write(`${command.name}: ${text}\n`)
  try {
    const request = command.parse(argv)
    if (!isInformation(request)) return await command.run(request, say)
    host.stdout.write(request.kind === 'help' ? command.help : `${host.version}\n`)
    return 0
  } catch (error) {
    const mistake = textOf(error)
    if (mistake === undefined) throw error
    say(mistake)
    return 2
  }
}

function isInformation(request: { readonly kind: string }): request is Information {
  return request.kind === 'help' || request.kind === 'version'
}

/** What is said of a mistake of the user; undefined for any other error. */
function textOf(error: unknown): string | undefined {
  if (error instanceof UrlError) return error.message
  if (error instanceof UsageError || error instanceof InvalidAddressError)
    return `${oneLine(error.message)} (--help lists the options)`
  return undefined
}

/** The text with its line ends, and the space around them, replaced by one space each. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
}
