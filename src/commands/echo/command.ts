/**
 * Layer 10. What the command `sluice-echo` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → serve: listen, until a signal comes. With --workers:
 * supervise, which starts the workers (workers.ts); each of them serves until it is told to stop.
 *
 * Exit codes: 0 stopped, 1 it cannot listen, 2 the command line is invalid.
 *
 * Rule: whatever it says is one line on stderr.
 */

import { Server } from '../../channels/basic.ts'
import type { ConnectionClass } from '../../channels/servers/server-settings.ts'
import { formatAddress, parseAddress } from '../../core/address.ts'
import { codeOf, type OverflowError } from '../../errors.ts'
import { Echo } from '../../protocols/echo/index.ts'
import type { Address, CloseReason } from '../../types.ts'
import type { Host, Say } from '../host.ts'
import { oneLine, runCommand } from '../run.ts'
import { ignoreSignals, STOP_TIMEOUT, stopOnSignals } from '../signals.ts'
import { HELP, parseOptions, type Request } from './options.ts'
import { type Cluster, type Upward, Workers } from './workers.ts'

/** What the command needs of its process. */
export interface EchoHost extends Host {
  /** Makes more processes like this one. */
  readonly cluster: Cluster
}

/** Why it cannot listen on a port. Any other failure has the words of the system. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use already',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'there is no such host',
}

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: EchoHost): Promise<number> {
  const run = (request: Request, say: Say): Promise<number> => {
    const sayLine: Say = text => say(oneLine(text))
    return request.workers > 0 && host.cluster.isPrimary
      ? supervise(request, argv, host, sayLine)
      : serve(request, host, sayLine)
  }
  return runCommand({ name: 'sluice-echo', help: HELP, parse: parseOptions, run }, argv, host)
}

async function serve(
  { address, delimiter, workers }: Request,
  host: EchoHost,
  say: Say,
): Promise<number> {
  const { engine, cluster } = host
  // Without --workers a cluster that this process belongs to is somebody else's.
  const worker = workers > 0 ? cluster.worker : undefined
  const mark = worker === undefined ? '#' : `#${worker.id}.`
  engine.log = say
  const server = new QuietServer(echoWith(delimiter, mark, say), { engine, name: 'server' })
  listen(server, address, worker !== undefined)
  const forget = worker === undefined ? stopServing(server, host, say) : stopWhenTold(worker, host)
  try {
    await server.opened
    if (worker === undefined) say(`listening on ${formatAddress(server.local_address)}`)
    else worker.send('listening')
  } catch (error) {
    // ERR_CLOSED is no failure: a signal came while the name of the host was being resolved.
    if (codeOf(error) !== 'ERR_CLOSED') sayWhyNot(error as Error, address, say)
  }
  const reason = await server.closed
  forget()
  return reason === 'error' ? 1 : 0
}

/**
 * Each worker has a socket of its own at the same port. Where the system cannot do that,
 * node:cluster shares one socket among them.
 */
function listen(server: Server, address: Address, isShared: boolean): void {
  try {
    server.listen(address, { reuse_port: isShared })
  } catch (error) {
    if (codeOf(error) !== 'ERR_UNSUPPORTED_OPTION') throw error
    server.listen(address)
  }
}

/** The first signal lets the connections finish. Returns the function that ends this. */
function stopServing(server: Server, host: EchoHost, say: Say): () => void {
  const stop = (signal: string): void => {
    const open = server.channels.size
    say(`${signal}: stopping${open === 0 ? '' : `, ${open} open (again: at once)`}`)
    void host.engine.stop({ timeout: STOP_TIMEOUT })
  }
  return stopOnSignals(host, stop, host.exit)
}

/**
 * Keeps the workers running. First it listens itself, only for a moment. So what is impossible
 * fails once, and not in each worker; and if the system chooses the port, it chooses it once.
 */
async function supervise(
  { address, workers: count }: Request,
  argv: readonly string[],
  host: EchoHost,
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
  const forget = stopSupervising(workers, host, say)
  workers.start([...argv, '--port', String(at[1])], () =>
    say(`listening on ${formatAddress(at)}, workers: ${count}`),
  )
  const code = await workers.ended
  forget()
  return code
}

/** The first signal stops the workers, the second one ends them too. */
function stopSupervising(workers: Workers, host: EchoHost, say: Say): () => void {
  const stop = (signal: string): void => {
    say(`${signal}: stopping`)
    workers.stop()
  }
  return stopOnSignals(host, stop, code => {
    workers.kill()
    host.exit(code)
  })
}

/**
 * A worker stops when its primary says so, or has gone. Signals of a terminal reach every process
 * of the group; only the primary acts on them. Returns the function that lets the worker end.
 */
function stopWhenTold(worker: Upward, host: EchoHost): () => void {
  const stop = (): void => void host.engine.stop({ timeout: STOP_TIMEOUT })
  ignoreSignals(host)
  worker.on('message', stop)
  worker.on('disconnect', stop)
  return () => {
    worker.disconnect()
  }
}

/** Does not log a failure to listen: the command says it in words of its own. */
class QuietServer extends Server {
  override on_listen_error(): void {}

  override on_overload(): void {
    this.engine.log('close to the limit of open files: new connections are turned away for now')
  }
}

/** A class of connections that are numbered after `mark`, and say when they open and close. */
function echoWith(delimiter: string, mark: string, say: Say): ConnectionClass {
  let count = 0
  return class extends Echo {
    override name = `${mark}${++count}`
    // One character a byte: every byte comes back as it was.
    override encoding = 'latin1' as const
    override read_delimiter = delimiter

    override on_connect(): void {
      say(`${this.name} ${formatAddress(this.remote_address)} opened`)
    }

    override on_overflow_error(error: OverflowError): any {
      if (error.buffer !== 'receive') return super.on_overflow_error(error)
      const line = `a line has more than ${error.limit} bytes`
      say(`${this.name} ${formatAddress(this.remote_address)}: ${line}`)
      this.close()
    }

    override on_close(reason: CloseReason): void {
      const bytes = `${this.bytes_read} bytes in, ${this.bytes_written} out`
      say(`${this.name} ${formatAddress(this.remote_address)} closed (${reason}), ${bytes}`)
    }
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
  const why = typeof address === 'object' && 'path' in address ? pathReason(error) : REASONS[code]
  return why === undefined ? error.message : `${why} (${code})`
}

/** The listener knows more of a path than its code says: `listen CODE: why: path`. */
function pathReason(error: Error): string | undefined {
  return /^listen \w+: (.*): /.exec(error.message)?.[1]
}
