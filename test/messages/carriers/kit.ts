/** What the tests of clients share. */

import { Connection, Server } from '../../../src/channels/basic.ts'
import type { Stage } from '../kit.ts'

/** A peer that sends and receives bytes. */
export async function peer(
  { engine, pump }: Stage,
  at: number | string = 1,
): Promise<{ server: Server; text: () => string; all: Connection[] }> {
  const all: Connection[] = []
  let text = ''
  class Peer extends Connection {
    override on_connect(): void {
      all.push(this)
    }
    override on_read(data: Buffer): void {
      text += data.toString('latin1')
    }
  }
  const server = new Server(Peer, { engine }).listen(at)
  await pump()
  return { server, text: () => text, all }
}
