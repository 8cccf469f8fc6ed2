/**
 * Layer 10. What the command `sluice-supervise` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → supervise: open the parts, in their order; show them, until
 * one of them is done or a signal comes; close them, in the opposite order.
 *
 * Exit codes: 0 stopped, or all answers came; 1 a part has failed; 2 the command line is invalid.
 */

import type { Server as HttpServer } from 'node:http'
import { deferred } from '../../core/deferred.ts'
import { InvalidArgumentError, messageOf } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import type { Host, Say } from '../host.ts'
import { oneLine, runCommand } from '../run.ts'
import { stopOnSignals } from '../signals.ts'
import { UsageError } from '../usage.ts'
import { HELP, parseOptions, type PartName, type Request } from './options.ts'
import { AgentsPart, type Part, RouterPart, type Setting, SupervisorPart } from './parts.ts'
import { type Screen, Table } from './table.ts'

/** What the command needs of its process. */
export interface SuperviseHost extends Host {
  readonly stdout: Screen & { readonly isTTY?: boolean }
  /** What kind of terminal it is. */
  readonly term: string | undefined
  /** Makes a server of HTTP. */
  http(): HttpServer
}

const PARTS: Readonly<Record<PartName, new (setting: Setting) => Part>> = {
  router: RouterPart,
  supervisor: SupervisorPart,
  agents: AgentsPart,
}

/** How often something is shown, on a terminal and elsewhere. */
const INTERVALS = { terminal: 500, elsewhere: 5000 }

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: SuperviseHost): Promise<number> {
  const run = (request: Request, say: Say): Promise<number> => supervise(request, host, say)
  return runCommand({ name: 'sluice-supervise', help: HELP, parse: parseOptions, run }, argv, host)
}

async function supervise(request: Request, host: SuperviseHost, sayLine: Say): Promise<number> {
  const { engine, term } = host
  // A dumb one cannot go back to where the table begins.
  const isTerminal = host.stdout.isTTY === true && term !== 'dumb'
  const table = new Table(host.stdout, isTerminal)
  const say: Say = text => {
    table.clear()
    sayLine(oneLine(text))
  }
  engine.log = say
  const context = new Context({ engine })
  const setting: Setting = { ...request, context, engine, say, http: () => host.http() }
  const parts = makeParts(request, setting)
  const draw = (): void => table.draw(parts.map(part => part.row()))
  const interval = request.interval ?? (isTerminal ? INTERVALS.terminal : INTERVALS.elsewhere)
  const cancel = engine.cycle(interval, draw)
  const stopped = deferred<boolean>()
  const stop = (signal: string): void => {
    say(`${signal}: stopping (again: at once)`)
    stopped.resolve(true)
  }
  const forget = stopOnSignals(host, stop, host.exit)
  const isWell = await Promise.race([stopped.promise, work(parts, say)])
  cancel()
  await close(parts, draw)
  forget()
  return isWell ? 0 : 1
}

/** Throws what the URL of the router, or of the relay, is refused with. */
function makeParts({ parts, url }: Request, setting: Setting): Part[] {
  try {
    // A channel that is made shows what is wrong with its URL, and opens nothing.
    setting.context.init(url).destroy()
    if (parts.includes('router')) setting.context.init(`${url};mode=server`).destroy()
    return parts.map(name => new PARTS[name](setting))
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(error.message)
    throw error
  }
}

/** Resolves when a part is done: is all well? */
async function work(parts: readonly Part[], say: Say): Promise<boolean> {
  try {
    for (const part of parts) await part.open()
  } catch (error) {
    say(messageOf(error))
    return false
  }
  return Promise.race(parts.map(({ done }) => done))
}

/** Closes the parts, the last first. Between, the table is drawn for the last time. */
async function close(parts: readonly Part[], draw: () => void): Promise<void> {
  const reversed = [...parts].reverse()
  for (const part of reversed) await part.rest()
  draw()
  for (const part of reversed) await part.close()
}
