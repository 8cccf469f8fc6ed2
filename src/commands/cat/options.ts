/**
 * Layer 10. The options of `sluice-cat`.
 */

import { parseDuration } from '../../messages/values.ts'
import type { Milliseconds } from '../../types.ts'
import { FLAG, type Information, readOptions, TEXT, UsageError } from '../usage.ts'

export const HELP = `Usage: sluice-cat [options] URL [URL]

With one URL: prints the messages that the channel receives, and sends it the
lines of standard input.
With two URLs: copies the messages that the first channel receives to the
second.

  --dump         print each message with its time, type, msgid, seq, peer and
                 bytes
  --both         with two URLs: copy in both directions
  --raw          with one URL: do not split the input into lines, and print
                 messages without line ends
  --open <text>  parameters of the opening of the first channel, for example
                 'mode=seq;seq=0' with stream+
  --wait <time>  after the end of the input, or of the first channel, go on
                 receiving for this long, for example 500ms or 5s. Default:
                 over tcp and unix sockets until the peer ends its side,
                 elsewhere 0s
  --help, -h     print this text
  --version      print the version

A URL is proto://host;key=value;key=value. Put it in quotes: a shell ends the
command at ';'.

  sluice-cat 'tcp://:5555;mode=server;frame=line'
  sluice-cat file://log 'rate+tcp://host:5555;speed=1mb'
  sluice-cat --dump 'udp://:5555;mode=server;frame=none'

Protocols: direct echo file js mem mudp null tcp tls+tcp timer udp unix ws wss
zero.
Prefixes: deflate+ filter+ pub+ rate+ reopen+ stream+.

On a terminal tcp, tls+tcp and unix have frame=line unless the URL says
another. If stderr is a terminal, and nothing is typed, a line there shows how
much was received so far.
Ctrl-C lets the channels finish, for at most 5 seconds. A second Ctrl-C ends
the command at once.

Exit codes: 0 everything that was read was taken by the other side, 1 it was
not (a line says how much), or a channel failed, 2 the command line is invalid.
`

/** What the command line asks for. */
export interface Request {
  readonly kind: 'cat'
  readonly from: string
  readonly to: string | undefined
  readonly dumps: boolean
  readonly isBoth: boolean
  readonly isRaw: boolean
  /** Parameters of the opening of `from`. */
  readonly opening: string
  /** Undefined: until the peer ends, where we can end our side alone; elsewhere not at all. */
  readonly wait: Milliseconds | undefined
}

/** Reads the arguments that follow the name of the command. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request | Information {
  const options = { dump: FLAG, both: FLAG, raw: FLAG, open: TEXT, wait: TEXT }
  return readOptions(argv, { options, allowPositionals: true }, ({ values, positionals }) => {
    const { dump = false, both = false, raw = false, open = '', wait } = values
    const [from, to, ...more] = positionals
    if (from === undefined) throw new UsageError('a URL is missing')
    if (more.length > 0) throw new UsageError(`two URLs at the most; got ${positionals.length}`)
    if (both && to === undefined) throw new UsageError('--both needs two URLs')
    if (raw && to !== undefined) throw new UsageError('--raw is for one URL')
    const time = wait === undefined ? undefined : parseDuration(wait)
    if (wait !== undefined && time === undefined)
      throw new UsageError(`--wait must be a time as 500ms or 5s; got ${JSON.stringify(wait)}`)
    const given = { dumps: dump, isBoth: both, isRaw: raw, opening: open, wait: time }
    return { kind: 'cat', from, to, ...given }
  })
}
