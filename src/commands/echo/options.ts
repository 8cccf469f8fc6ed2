/**
 * Layer 10. What `sluice-echo` can be told on its command line.
 *
 * Rule: whatever is wrong is a UsageError whose message is one line for the person who typed it.
 */

import { Buffer } from 'node:buffer'
import { parseArgs } from 'node:util'
import type { Address, Port } from '../../types.ts'

/** The port without --port, the one of Pants' examples. */
const PORT: Port = 4040

/**
 * The line end without --delimiter. Not the '\r\n' of the class Echo: plain netcat ends lines with
 * '\n' and would wait for ever. Where a line ends with '\r\n', the '\r' counts as part of it and so
 * goes back too: each peer gets the line end it uses.
 */
const LINE_END = '\n'

export const HELP = `Usage: sluice-echo [options]

A line-oriented echo server: whatever line you send, you get it back.

  --port <number>      the port to listen on; 0: the system chooses. Default ${PORT}
  --host <name>        the address to listen on. Default: every address of this machine
  --unix <path>        listen on a unix socket instead
  --delimiter <text>   what ends a line, exactly: text, \\n \\r \\t \\0 \\\\, or a byte as \\x1e.
                       Default: \\n, and \\r\\n just as well
  --workers <number>   share the port among so many processes, each of which is a whole server
  --help, -h           print this
  --version            print the version

Try it: nc localhost ${PORT}
Ctrl-C lets the connections finish and stops it; once more, and it ends at once.
`

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'serve'
      readonly address: Address
      /** What ends a line, one character a byte. */
      readonly delimiter: string
      /** So many processes; 0: this one. */
      readonly workers: number
    }

/** Something on the command line cannot be. */
export class UsageError extends Error {}

/** Reads the arguments that follow the name of the program. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request {
  const { help, version, port, host, unix, delimiter, workers } = parseValues(argv)
  if (help) return { kind: 'help' }
  if (version) return { kind: 'version' }
  if (unix !== undefined && (port ?? host) !== undefined)
    throw new UsageError('--unix is instead of --port and --host, not with them')
  if (unix !== undefined && workers !== undefined)
    throw new UsageError('--workers share a port: not with --unix')
  const number = port === undefined ? PORT : parsePort(port)
  const address =
    unix !== undefined ? { path: unix } : host === undefined ? number : ([host, number] as const)
  return {
    kind: 'serve',
    address,
    delimiter: delimiter === undefined ? LINE_END : parseDelimiter(delimiter),
    workers: workers === undefined ? 0 : parseWorkers(workers),
  }
}

function parseValues(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        unix: { type: 'string' },
        delimiter: { type: 'string' },
        workers: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    // Node's advice after its first sentence is for another kind of command.
    throw new UsageError((error as Error).message.split(/\.?\n|\. (?=[A-Z])/)[0])
  }
}

function parsePort(text: string): Port {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`--port must be a number from 0 to 65535; got ${JSON.stringify(text)}`)
  return Number(text)
}

/** More than a machine has cores, and fewer than would harm it. */
const WORKERS_MAX = 256

function parseWorkers(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= WORKERS_MAX) return Number(text)
  throw new UsageError(
    `--workers must be a number from 1 to ${WORKERS_MAX}; got ${JSON.stringify(text)}`,
  )
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', '\\': '\\' }

/**
 * Text with escapes as the bytes it stands for, one character a byte; text beyond ASCII is UTF-8.
 * Throws UsageError.
 */
function parseDelimiter(text: string): string {
  if (text === '') throw new UsageError('--delimiter must not be empty')
  const bytes = Buffer.from(text).toString('latin1')
  return bytes.replace(
    /\\(?:x([0-9a-f]{2})|(.?))/gis,
    (escape, hex: string | undefined, letter: string) => {
      const byte = hex === undefined ? ESCAPES[letter] : String.fromCharCode(parseInt(hex, 16))
      if (byte === undefined)
        throw new UsageError(
          `--delimiter: ${escape} is no escape; there are \\n \\r \\t \\0 \\\\ and \\x with two hex digits`,
        )
      return byte
    },
  )
}
