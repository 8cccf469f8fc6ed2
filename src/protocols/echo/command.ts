/**
 * Layer 8. What the command `sluice-echo` does, in a process that is handed to it.
 *
 * command → parseOptions → serve (listen, until a signal) → the exit code: 0 stopped, 1 cannot listen, 2 wrongly called.
 *
 * Rules:
 * 1. Whatever it says is one line on stderr; only what was asked for (--help, --version) goes to stdout.
 * 2. A mistake of the user never shows a stack.
 */

import { Server } from '../../channels/basic.ts'
import type { ConnectionClass } from '../../channels/stream-server.ts'
import { formatAddress, parseAddress } from '../../core/address.ts'
import type { Engine } from '../../engine.ts'
import { codeOf, InvalidAddressError } from '../../errors.ts'
import type { Address, CloseReason, Milliseconds } from '../../types.ts'
import { Echo } from './index.ts'
import { HELP, parseOptions, UsageError } from './options.ts'

/** What the command needs of its process; tests make one. */
export interface Host {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly signals: {
    on(signal: Signal, listener: (signal: Signal) => void): unknown
    off(signal: Signal, listener: (signal: Signal) => void): unknown
  }
  readonly version: string
  /** Ends the process now. */
  exit(code: number): void
  /** Was it started by `npm start`? */
  readonly isUnderNpm?: boolean
  readonly engine: Engine
}

/** The signals that stop it, and their numbers, which a shell adds to 128 for the exit code of what they ended. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
export type Signal = keyof typeof SIGNALS

type Say = (text: string) => void

/** How long connections have to finish. Less than the engine's own default: somebody sits there and waits for the prompt. */
const STOP_TIMEOUT: Milliseconds = 5_000

/** npm passes a Ctrl-C on to its script, which has got it from the terminal already. What comes so soon is the same one. */
const NPM_REPEATS: Milliseconds = 250

/** Why an address cannot be listened on, in words; otherwise the system's own. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use already',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'there is no such host',
}

/** Runs the command with the arguments that follow its name; resolves with the exit code when it is done. */
export async function command(argv: readonly string[], host: Host): Promise<number> {
  const say: Say = text => void host.stderr.write(`sluice-echo: ${text.replace(/\s*[\r\n]+\s*/g, ' ')}\n`)
  try {
    const request = parseOptions(argv)
    if (request.kind === 'serve') return await serve(request.address, request.delimiter, host, say)
    host.stdout.write(request.kind === 'help' ? HELP : `${host.version}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof InvalidAddressError)) throw error
    say(`${error.message} (--help lists the options)`)
    return 2
  }
}

async function serve(address: Address, delimiter: string, host: Host, say: Say): Promise<number> {
  const { engine } = host
  engine.log = say
  const server = new QuietServer(echoWith(delimiter, say), { engine, name: 'server' })
  server.listen(address)
  const forget = stopOnSignals(server, host, say)
  try {
    await server.opened
    say(`listening on ${formatAddress(server.local_address)}`)
  } catch (error) {
    // Else a signal came while the name of the host was being resolved.
    if (codeOf(error) !== 'ERR_CLOSED') say(`cannot listen on ${nameOf(address)}: ${reasonOf(error as Error, address)}`)
  }
  const reason = await server.closed
  forget()
  return reason === 'error' ? 1 : 0
}

/** Says nothing of a failure to listen: `serve` does. */
class QuietServer extends Server {
  override on_listen_error(): void {}
}

function echoWith(delimiter: string, say: Say): ConnectionClass {
  let count = 0
  return class extends Echo {
    override name = `#${++count}`
    // One character a byte: whatever bytes a line has, the same come back.
    override encoding = 'latin1' as const
    override read_delimiter = delimiter

    override on_connect(): void {
      say(`${this.name} ${formatAddress(this.remote_address)} opened`)
    }

    override on_close(reason: CloseReason): void {
      say(`${this.name} ${formatAddress(this.remote_address)} closed (${reason}), ${this.bytes_read} bytes in, ${this.bytes_written} out`)
    }
  }
}

/** The first signal lets the connections finish, the second ends the process. Returns what gives the signals back. */
function stopOnSignals(server: Server, host: Host, say: Say): () => void {
  const { engine } = server
  let first: Milliseconds | undefined
  const onSignal = (signal: Signal): void => {
    if (first === undefined) {
      first = engine.now
      const open = server.channels.size
      say(`${signal}: stopping${open === 0 ? '' : `, ${open} open (again: at once)`}`)
      void engine.stop({ timeout: STOP_TIMEOUT })
    } else if (!host.isUnderNpm || engine.now - first > NPM_REPEATS) {
      host.exit(128 + SIGNALS[signal])
    }
  }
  const signals = Object.keys(SIGNALS) as Signal[]
  for (const signal of signals) host.signals.on(signal, onSignal)
  return () => {
    for (const signal of signals) host.signals.off(signal, onSignal)
  }
}

function nameOf(address: Address): string {
  return typeof address === 'number' ? `port ${address}` : formatAddress(parseAddress(address))
}

function reasonOf(error: Error, address: Address): string {
  const code = codeOf(error)
  // The system says EACCES of a path in a folder that is not there, too.
  if (code === 'EACCES' && typeof address === 'object' && 'path' in address) return 'no permission, or no such folder (EACCES)'
  return REASONS[code] === undefined ? error.message : `${REASONS[code]} (${code})`
}
