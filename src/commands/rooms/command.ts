/**
 * Layer 10. What the command `sluice-rooms` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → serve: the rooms are opened, then the port; members come
 * until a signal stops it.
 *
 * Exit codes: 0 stopped, 1 it cannot listen or the relay refuses, 2 the command line is invalid.
 *
 * Rule: whatever it says is one line on stderr.
 */

import type { RequestListener, Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatAddress } from '../../core/address.ts'
import { codeOf, InvalidArgumentError, messageOf } from '../../errors.ts'
import { WebSocketServer } from '../../protocols/websocket/server.ts'
import { RoomServer } from '../../rooms/server/room-server.ts'
import type { Host, Say } from '../host.ts'
import { oneLine, runCommand } from '../run.ts'
import { STOP_TIMEOUT, stopOnSignals } from '../signals.ts'
import { UsageError } from '../usage.ts'
import { HELP, parseOptions, type Request } from './options.ts'
import { site } from './site.ts'

/** What the command needs of its process. */
export interface RoomsHost extends Host {
  /** Makes a server of HTTP. */
  createServer(listener: RequestListener): HttpServer
  /** The text of the page. */
  page(): string
  /** The text of the client for browsers. */
  script(): string
}

/** Nobody types as fast. Twice as many may come at once. */
const RATE = 50

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: RoomsHost): Promise<number> {
  const run = (request: Request, say: Say): Promise<number> =>
    serve(request, host, text => say(oneLine(text)))
  return runCommand({ name: 'sluice-rooms', help: HELP, parse: parseOptions, run }, argv, host)
}

async function serve(request: Request, host: RoomsHost, say: Say): Promise<number> {
  const { engine } = host
  engine.log = say
  const http = host.createServer(site({ page: host.page(), script: host.script() }))
  const sockets = new WebSocketServer({ engine }).attach(http)
  const rooms = openRooms(request, sockets, host)
  const forget = stopServing(rooms, host, say)
  const code = await open(request, rooms, http, say)
  await rooms.closed
  sockets.close()
  await sockets.closed
  await close(http)
  forget()
  return code
}

/** Throws UsageError if a URL is invalid. */
function openRooms(
  { relay, history, urls }: Request,
  sockets: WebSocketServer,
  { engine }: RoomsHost,
): RoomServer {
  try {
    const rooms = new QuietRooms({
      engine,
      relay,
      history: history > 0 && history,
      presence: true,
      rate: RATE,
    })
    return rooms.listen(sockets, ...urls)
  } catch (error) {
    sockets.close()
    if (error instanceof InvalidArgumentError) throw new UsageError(error.message)
    throw error
  }
}

/** Opens the rooms, then the port. Resolves with the exit code; if that is not 0, all is closed. */
async function open(
  request: Request,
  rooms: RoomServer,
  http: HttpServer,
  say: Say,
): Promise<number> {
  const { port, host } = request
  try {
    await rooms.opened
    // Without a host Node takes every address.
    http.listen({ port, ...(host !== undefined && { host }) })
    await new Promise((resolve, reject) => http.once('listening', resolve).once('error', reject))
  } catch (error) {
    // ERR_CLOSED is no failure: a signal came first.
    if (codeOf(error) === 'ERR_CLOSED') return 0
    say(`cannot listen: ${messageOf(error)}`)
    rooms.close()
    return 1
  }
  for (const url of rooms.client_urls) say(`listening on ${url}`)
  say(`listening on ${urlOf(http.address() as AddressInfo, host)}`)
  return 0
}

/** The URL to be typed on this machine. */
function urlOf({ address, port }: AddressInfo, host: string | undefined): string {
  return `http://${host === undefined ? `localhost:${port}` : formatAddress([address, port])}/`
}

/** The first signal says goodbye to all members. Returns the function that ends this. */
function stopServing(rooms: RoomServer, host: RoomsHost, say: Say): () => void {
  const stop = (signal: string): void => {
    const count = rooms.members().length
    say(`${signal}: stopping${count === 0 ? '' : `, ${count} connected (again: at once)`}`)
    void host.engine.stop({ timeout: STOP_TIMEOUT })
  }
  return stopOnSignals(host, stop, host.exit)
}

async function close(http: HttpServer): Promise<void> {
  if (!http.listening) return
  const closed = new Promise(resolve => http.close(resolve))
  // What is left are idle connections of browsers.
  http.closeAllConnections()
  await closed
}

/** Does not log a failure to listen: the command says it in words of its own. */
class QuietRooms extends RoomServer {
  override on_listen_error(): void {}
}
