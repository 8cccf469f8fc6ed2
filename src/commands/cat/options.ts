/**
 * Layer 10. What `sluice-cat` can be told on its command line.
 *
 * Rule: whatever is wrong is a UsageError whose message is one line for the person who typed it.
 */

import { parseArgs } from 'node:util'
import { parseDuration } from '../../messages/values.ts'
import type { Milliseconds } from '../../types.ts'

export const HELP = `Usage: sluice-cat [options] URL [URL]

With two URLs: copies the messages that the first receives to the second.
With one: prints what it receives, and sends it the lines of standard input.

  --dump           print each message with its type, msgid, seq and bytes
  --both           with two URLs: copy the other way, too
  --raw            with one URL: in and out as it comes, without line ends
  --wait <time>    at the end of the input, or of the first channel, go on
                   receiving for so long, as 500ms or 5s. Default: 0s
  --help, -h       print this
  --version        print the version

A URL is proto://host;key=value;key=value. Quote it: ';' ends a command.

  sluice-cat 'tcp://:5555;mode=server;frame=line'
  sluice-cat file://log 'rate+tcp://host:5555;speed=1mb'
  sluice-cat --dump 'udp://:5555;mode=server;frame=none'

Protocols: direct echo file js mem mudp null tcp tls+tcp timer udp unix zero,
and before them deflate+ filter+ rate+ reopen+.
On a terminal a line shows how much has gone.
Ctrl-C lets it finish; once more, and it ends at once.
`

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'cat'
      readonly from: string
      readonly to: string | undefined
      readonly dumps: boolean
      readonly isBoth: boolean
      readonly isRaw: boolean
      readonly wait: Milliseconds
    }

/** Something on the command line cannot be. */
export class UsageError extends Error {}

/** Reads the arguments that follow the name of the program. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request {
  const { values, positionals } = parseAll(argv)
  const { help, version, dump = false, both = false, raw = false, wait = '0s' } = values
  if (help) return { kind: 'help' }
  if (version) return { kind: 'version' }
  const [from, to, ...more] = positionals
  if (from === undefined) throw new UsageError('a URL is missing')
  if (more.length > 0) throw new UsageError(`two URLs at the most; got ${positionals.length}`)
  if (both && to === undefined) throw new UsageError('--both needs two URLs')
  if (raw && to !== undefined) throw new UsageError('--raw is for one URL')
  const time = parseDuration(wait)
  if (time === undefined)
    throw new UsageError(`--wait must be a time as 500ms or 5s; got ${JSON.stringify(wait)}`)
  return { kind: 'cat', from, to, dumps: dump, isBoth: both, isRaw: raw, wait: time }
}

function parseAll(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        dump: { type: 'boolean' },
        both: { type: 'boolean' },
        raw: { type: 'boolean' },
        wait: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    })
  } catch (error) {
    // Node's advice after its first sentence is for another kind of command.
    throw new UsageError((error as Error).message.split(/\.?\n|\. (?=[A-Z])/)[0])
  }
}
