/** Both directions: a server is called once for each case, or a client calls once for each. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Case } from './case.ts'
import { Peer } from './peer.ts'
import { play } from './play.ts'

/** What was wrong with each case; undefined: nothing. */
export type Told = (id: string, fault: string | undefined) => void

/** Calls a server that echoes messages. */
export async function callServer(
  cases: readonly Case[],
  { host, port, path = '/' }: { host: string; port: number; path?: string },
  told: Told,
): Promise<void> {
  await together(cases, async each => {
    const socket = connect(port, host)
    await once(socket, 'connect')
    const peer = new Peer(socket, 'client')
    try {
      await peer.ask(path, each.deflate)
    } catch (error) {
      socket.destroy()
      return told(each.id, (error as Error).message)
    }
    told(each.id, await play(each, peer, 'client'))
  })
}

/**
 * Serves the cases: the path of a URL is the number of a case, from 0 on. Clients have to echo
 * messages. `call` makes one connect, and resolves when it has closed.
 */
export async function serveClients(
  cases: readonly Case[],
  call: (url: string) => Promise<unknown>,
  told: Told,
): Promise<void> {
  const served: Promise<void>[] = []
  const server = createServer(socket => served.push(serve(cases, socket, told)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const numbers = cases.map((_, i) => i)
  await together(numbers, async i => void (await call(`ws://127.0.0.1:${port}/${i}`)))
  server.close()
  await Promise.all(served)
}

async function serve(cases: readonly Case[], socket: Socket, told: Told): Promise<void> {
  const peer = new Peer(socket, 'server')
  // The client of a case that is over may be gone.
  const head = await peer.head().catch(() => '')
  if (head === '') return
  const each = cases[Number(/^GET \/(\d+)/.exec(head)?.[1])]!
  peer.answer(head, each.deflate)
  told(each.id, await play(each, peer, 'server'))
}

/** So many connections at once. */
const AT_ONCE = 16

async function together<Of>(all: readonly Of[], run: (each: Of) => Promise<void>): Promise<void> {
  const left = [...all]
  const worker = async (): Promise<void> => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) await run(each)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
