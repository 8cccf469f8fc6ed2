/**
 * Layer 10. What the command `sluice-echo` does, in a process that is handed to it.
 *
 * command → parseOptions → serve (listen, until a signal) → the exit code: 0 stopped, 1 cannot
 * listen, 2 wrongly called. With --workers: … → supervise (workers.ts) → and in each worker serve,
 * until it is told to stop.
 *
 * Rules:
 * 1. Whatever it says is one line on stderr; only what was asked for (--help, --version) goes to
 *    stdout.
 * 2. A mistake of the user never shows a stack.
 */

import { Server } from '../../channels/basic.ts'
import type { ConnectionClass } from '../../channels/stream-server.ts'
import { formatAddress, parseAddress } from '../../core/address.ts'
import type { Engine } from '../../engine.ts'
import { codeOf, InvalidAddressError } from '../../errors.ts'
import type { Address, CloseReason, Milliseconds } from '../../types.ts'
import { Echo } from '../../protocols/echo/index.ts'
import { HELP, parseOptions, type Request, UsageError } from './options.ts'
import { type Cluster, type Upward, Workers } from './workers.ts'

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
  /** Makes more processes like this one. */
  readonly cluster: Cluster
}

/**
 * The signals that stop it, and their numbers, which a shell adds to 128 for the exit code of what
 * they ended.
 */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
export type Signal = keyof typeof SIGNALS

type Say = (text: string) => void

/**
 * How long connections have to finish. Less than the engine's own default: somebody sits there and
 * waits for the prompt.
 */
const STOP_TIMEOUT: Milliseconds = 5_000

/**
 * npm passes a Ctrl-C on to its script, which has got it from the terminal already. What comes so
 * soon is the same one.
 */
const NPM_REPEATS: Milliseconds = 250

/** Why an address cannot be listened on, in words; otherwise the system's own. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use already',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'there is no such host',
}

/**
 * Runs the command with the arguments that follow its name; resolves with the exit code when it is
 * done.
 */
export async function command(argv: readonly string[], host: Host): Promise<number> {
  const say: Say = text =>
    void host.stderr.write(`sluice-echo: ${text.replace(/\s*[\r\n]+\s*/g, ' ')}\n`)
  try {
    const request = parseOptions(argv)
    if (request.kind === 'serve') {
      const isPrimary = request.workers > 0 && host.cluster.isPrimary
      return await (isPrimary ? supervise(request, argv, host, say) : serve(request, host, say))
    }
    host.stdout.write(request.kind === 'help' ? HELP : `${host.version}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof InvalidAddressError)) throw error
    say(`${error.message} (--help lists the options)`)
    return 2
  }
}

type ServeRequest = Request & { kind: 'serve' }

async function serve(
  { address, delimiter, workers }: ServeRequest,
  host: Host,
  say: Say,
): Promise<number> {
  const { engine, cluster } = host
  // A worker of somebody else's is none of ours.
  const worker = workers > 0 ? cluster.worker : undefined
  engine.log = say
  const server = new QuietServer(
    echoWith(delimiter, worker === undefined ? '#' : `#${worker.id}.`, say),
    { engine, name: 'server' },
  )
  listen(server, address, worker !== undefined)
  const stop = (): void => void engine.stop({ timeout: STOP_TIMEOUT })
  const forget =
    worker === undefined
      ? stopOnSignals(host, say, () => server.channels.size, stop, host.exit)
      : stopWhenTold(worker, host, stop)
  try {
    await server.opened
    if (worker === undefined) say(`listening on ${formatAddress(server.local_address)}`)
    else worker.send('listening')
  } catch (error) {
    // Else a signal came while the name of the host was being resolved.
    if (codeOf(error) !== 'ERR_CLOSED') sayWhyNot(error as Error, address, say)
  }
  const reason = await server.closed
  forget()
  return reason === 'error' ? 1 : 0
}

/**
 * Workers have a socket each at the same port where that can be; otherwise node:cluster shares one
 * among them.
 */
function listen(server: Server, address: Address, isShared: boolean): void {
  try {
    server.listen(address, { reuse_port: isShared })
  } catch (error) {
    if (codeOf(error) !== 'ERR_UNSUPPORTED_OPTION') throw error
    server.listen(address)
  }
}

/**
 * Keeps the workers running. It listens first, and only for a moment: so what cannot be fails once,
 * and port 0 is one port for all.
 */
async function supervise(
  { address, workers: count }: ServeRequest,
  argv: readonly string[],
  host: Host,
  say: Say,
): Promise<number> {
  const { engine, cluster } = host
  const first = new QuietServer({ engine, name: 'server' }).listen(address)
  try {
    await first.opened
  } catch (error) {
    sayWhyNot(error as Error, address, say)
    return 1
  }
  const at = first.local_address as [host: string, port: number]
  first.close()
  await first.closed
  const workers = new Workers(cluster, count, () => engine.now, say)
  const exit = (code: number): void => {
    workers.kill()
    host.exit(code)
  }
  const forget = stopOnSignals(
    host,
    say,
    () => 0,
    () => workers.stop(),
    exit,
  )
  workers.start([...argv, '--port', String(at[1])], () =>
    say(`listening on ${formatAddress(at)}, workers: ${count}`),
  )
  const code = await workers.ended
  forget()
  return code
}

/**
 * The primary passes on what it is told by signals: those that a terminal sends to all of us are
 * not for a worker.
 */
function stopWhenTold(worker: Upward, host: Host, stop: () => void): () => void {
  const ignore = (): void => {}
  const signals = Object.keys(SIGNALS) as Signal[]
  for (const signal of signals) host.signals.on(signal, ignore)
  worker.on('message', stop)
  worker.on('disconnect', stop)
  return () => {
    worker.disconnect()
  }
}

/** Says nothing of a failure to listen: `serve` does. */
class QuietServer extends Server {
  override on_listen_error(): void {}
}

function echoWith(delimiter: string, mark: string, say: Say): ConnectionClass {
  let count = 0
  return class extends Echo {
    override name = `${mark}${++count}`
    // One character a byte: whatever bytes a line has, the same come back.
    override encoding = 'latin1' as const
    override read_delimiter = delimiter

    override on_connect(): void {
      say(`${this.name} ${formatAddress(this.remote_address)} opened`)
    }

    override on_close(reason: CloseReason): void {
      say(
        `${this.name} ${formatAddress(this.remote_address)} closed (${reason}), ${this.bytes_read} bytes in, ${this.bytes_written} out`,
      )
    }
  }
}

/**
 * The first signal lets the connections finish, the second ends the process. Returns what gives the
 * signals back.
 */
function stopOnSignals(
  host: Host,
  say: Say,
  countOpen: () => number,
  stop: () => void,
  exit: (code: number) => void,
): () => void {
  const { engine } = host
  let first: Milliseconds | undefined
  const onSignal = (signal: Signal): void => {
    if (first === undefined) {
      first = engine.now
      const open = countOpen()
      say(`${signal}: stopping${open === 0 ? '' : `, ${open} open (again: at once)`}`)
      stop()
    } else if (!host.isUnderNpm || engine.now - first > NPM_REPEATS) {
      exit(128 + SIGNALS[signal])
    }
  }
  const signals = Object.keys(SIGNALS) as Signal[]
  for (const signal of signals) host.signals.on(signal, onSignal)
  return () => {
    for (const signal of signals) host.signals.off(signal, onSignal)
  }
}

function sayWhyNot(error: Error, address: Address, say: Say): void {
  say(`cannot listen on ${nameOf(address)}: ${reasonOf(error, address)}`)
}

function nameOf(address: Address): string {
  return typeof address === 'number' ? `port ${address}` : formatAddress(parseAddress(address))
}

function reasonOf(error: Error, address: Address): string {
  const code = codeOf(error)
  // The system says EACCES of a path in a folder that is not there, too.
  if (code === 'EACCES' && typeof address === 'object' && 'path' in address)
    return 'no permission, or no such folder (EACCES)'
  return REASONS[code] === undefined ? error.message : `${REASONS[code]} (${code})`
}
