/**
 * Layer 10. The options of `sluice-echo`.
 */

import { Buffer } from 'node:buffer'
import { PATH_MAX } from '../../core/address.ts'
import type { Address, Port } from '../../types.ts'
import { checkHost, type Information, parseWhole, readOptions, TEXT, UsageError } from '../usage.ts'

/** The port without --port, the one of Pants' examples. */
const PORT: Port = 4040

/**
 * The line end without --delimiter. It is not the '\r\n' of the class Echo, because netcat ends
 * lines with '\n' and would wait for ever. In a line that ends with '\r\n' the '\r' counts as part
 * of the line and is sent back too: each peer gets the line end that it uses.
 */
const LINE_END = '\n'

/** More than a machine has cores, and few enough to do it no harm. */
const WORKERS_MAX = 256

export const HELP = `Usage: sluice-echo [options]

A line-oriented echo server: it sends each line back to the peer that sent it.

  --port <number>     listen on this port; 0 lets the system choose one.
                      Default: ${PORT}
  --host <name>       listen on this address only.
                      Default: every address of this machine
  --unix <path>       listen on a unix socket instead of a port
  --delimiter <text>  a line ends with exactly this text. Escapes are \\n \\r \\t
                      \\0 \\\\ and \\x with two hex digits, as in \\x1e.
                      Default: \\n, which serves lines that end with \\r\\n too
  --workers <number>  serve with this many processes, 1 to ${WORKERS_MAX}, on one port
  --help, -h          print this text
  --version           print the version

Try it: nc localhost ${PORT}
Ctrl-C lets open connections finish, for at most 5 seconds. A second Ctrl-C
ends the command at once.

Exit codes: 0 stopped, 1 it cannot listen, 2 the command line is invalid.
`

/** What the command line asks for. */
export interface Request {
  readonly kind: 'serve'
  readonly address: Address
  /** What ends a line, one character a byte. */
  readonly delimiter: string
  /** The number of processes that serve; 0: this process alone. */
  readonly workers: number
}

/** Reads the arguments that follow the name of the command. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request | Information {
  const options = { port: TEXT, host: TEXT, unix: TEXT, delimiter: TEXT, workers: TEXT }
  return readOptions(argv, { options }, ({ values: { port, host, unix, delimiter, workers } }) => {
    if (unix !== undefined && (port ?? host) !== undefined)
      throw new UsageError('--unix is instead of --port and --host, not with them')
    if (unix !== undefined && workers !== undefined)
      throw new UsageError('--workers share a port: not with --unix')
    return {
      kind: 'serve',
      address: unix === undefined ? parsePlace(host, port) : parsePath(unix),
      delimiter: delimiter === undefined ? LINE_END : parseDelimiter(delimiter),
      workers: parseWhole('--workers', workers, 1, WORKERS_MAX, 0),
    }
  })
}

function parsePlace(host: string | undefined, port: string | undefined): Address {
  const number = parseWhole('--port', port, 0, 65_535, PORT)
  const place = checkHost(host)
  return place === undefined ? number : [place, number]
}

function parsePath(path: string): Address {
  if (path === '') throw new UsageError('--unix must not be empty')
  const bytes = Buffer.byteLength(path)
  if (bytes > PATH_MAX)
    throw new UsageError(`--unix: a path has at most ${PATH_MAX} bytes; this one has ${bytes}`)
  return { path }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', '\\': '\\' }

/**
 * The bytes that a text with escapes stands for, one character a byte. Text beyond ASCII is UTF-8.
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
          `--delimiter: ${escape} is no escape; ` +
            'there are \\n \\r \\t \\0 \\\\ and \\x with two hex digits',
        )
      return byte
    },
  )
}
