/**
 * Layer 10. The options of `sluice-rooms`.
 */

import type { Port } from '../../types.ts'
import { checkHost, type Information, parseWhole, readOptions, TEXT, TEXTS } from '../usage.ts'

const PORT: Port = 8000

/** How many messages of a room are kept without --history. */
const HISTORY = 1000

/** More would be a store of messages, which a relay is not. */
const HISTORY_MAX = 1_000_000

export const HELP = `Usage: sluice-rooms [options]

A chat: a page for browsers, and a room server for the Channels of sluice/rooms
and for every program that speaks their protocol.

  --port <number>     listen on this port; 0 lets the system choose one.
                      Default: ${PORT}
  --host <name>       listen on this address only.
                      Default: every address of this machine
  --listen <url>      let members in here, too, for example
                      'tcp://:8001;frame=line'. It may be given several times
  --relay <url>       what connects several of these processes to one chat, for
                      example redis://localhost. Default: memory:, this one only
  --history <number>  how many messages of each room are kept for those who come
                      back; 0 keeps none. Default: ${HISTORY}
  --help, -h          print this text
  --version           print the version

Try it: open http://localhost:${PORT}/ in two windows of a browser.
Ctrl-C says goodbye to all members, for at most 5 seconds. A second Ctrl-C ends
the command at once.

Exit codes: 0 stopped, 1 it cannot listen or the relay refuses, 2 the command
line is invalid.
`

/** What the command line asks for. */
export interface Request {
  readonly kind: 'serve'
  readonly port: Port
  /** Undefined: every address. */
  readonly host: string | undefined
  readonly urls: readonly string[]
  readonly relay: string
  /** 0: none. */
  readonly history: number
}

/** Reads the arguments that follow the name of the command. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request | Information {
  const options = { port: TEXT, host: TEXT, listen: TEXTS, relay: TEXT, history: TEXT }
  return readOptions(argv, { options }, ({ values }) => ({
    kind: 'serve',
    host: checkHost(values.host),
    port: parseWhole('--port', values.port, 0, 65_535, PORT),
    urls: values.listen ?? [],
    relay: values.relay ?? 'memory:',
    history: parseWhole('--history', values.history, 0, HISTORY_MAX, HISTORY),
  }))
}
