/**
 * Layer 10. The options of `sluice-supervise`.
 */

import { Url } from '../../messages/url.ts'
import { type Information, parseWhole, readOptions, TEXT, UsageError } from '../usage.ts'

const PARTS = ['router', 'supervisor', 'agents'] as const

/** What one process can run. */
export type PartName = (typeof PARTS)[number]

const URL = 'ws://127.0.0.1:8080/socket'

export const HELP = `Usage: sluice-supervise [options] [URL]

Runs a router of packets, a supervisor and agents. Each agent sends packets,
and the supervisor answers each of them. On a terminal a table shows how they
are doing; elsewhere lines do.

  --only <part>        run router, supervisor or agents only; the others are
                       processes of their own. Default: all three
  --agents <number>    number of agents, 1 to 100000. Default: 10
  --rate <number>      packets a second of each agent, 1 to 1000. Default: 10
  --relay <url>        what connects the routers of several of these processes,
                       for example redis://localhost. Default: none
  --count <number>     end when each agent has this many answers.
                       Default: go on until Ctrl-C
  --interval <number>  milliseconds from one table, or line, to the next.
                       Default: 500 on a terminal, 5000 elsewhere
  --help, -h           print this text
  --version            print the version

URL is that of a client of message channels. Default:
  ${URL}
With ws:// the router is a server of HTTP, too: it answers GET /is_alive.

Ctrl-C lets what was sent arrive, for at most 5 seconds. A second Ctrl-C ends
the command at once.

Exit codes: 0 stopped, or all answers came, once and in order; 1 they did not,
or the router cannot listen or be reached; 2 the command line is invalid.
`

export interface Request {
  readonly kind: 'run'
  readonly url: string
  readonly parts: readonly PartName[]
  readonly agents: number
  readonly rate: number
  /** Infinity: until a signal comes. */
  readonly count: number
  /** Milliseconds; undefined: the default. */
  readonly interval: number | undefined
  /** Undefined: one router only. */
  readonly relay: string | undefined
}

/** Reads the arguments that follow the name. Throws UsageError, or UrlError for the URL. */
export function parseOptions(argv: readonly string[]): Request | Information {
  const numbers = { agents: TEXT, rate: TEXT, count: TEXT, interval: TEXT }
  const options = { only: TEXT, relay: TEXT, ...numbers }
  return readOptions(argv, { options, allowPositionals: true }, ({ values, positionals }) => {
    const [url = URL, ...more] = positionals
    if (more.length > 0) throw new UsageError(`one URL at most; got ${positionals.length}`)
    Url.parse(url)
    const { only, agents, rate, count, interval, relay } = values
    return {
      kind: 'run',
      url,
      parts: only === undefined ? PARTS : [partOf(only)],
      agents: parseWhole('--agents', agents, 1, 100_000, 10),
      rate: parseWhole('--rate', rate, 1, 1000, 10),
      count: parseWhole('--count', count, 1, 1e9, Infinity),
      interval: parseWhole('--interval', interval, 10, 3_600_000, undefined),
      relay,
    }
  })
}

function partOf(only: string): PartName {
  const part = PARTS.find(name => name === only)
  if (part !== undefined) return part
  throw new UsageError(`--only must be ${PARTS.join(', ')}; got ${JSON.stringify(only)}`)
}
