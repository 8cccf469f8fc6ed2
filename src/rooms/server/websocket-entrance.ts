/**
 * Layer 9. WebSocketEntrance: lets members in by a WebSocketServer of the program. The `on_upgrade`
 * of that server's connections decides who may connect.
 *
 * The connections are of a class that extends the one of the server, and takes over its messages.
 */

import { Buffer } from 'node:buffer'
import { formatAddress } from '../../core/address.ts'
import { classOf } from '../../core/checks.ts'
import { WebSocketConnection } from '../../protocols/websocket/connection.ts'
import { SERVER_PACKERS } from '../../protocols/websocket/outgoing.ts'
import type { WebSocketServer } from '../../protocols/websocket/server.ts'
import { sendPacked, sessionOf } from '../../protocols/websocket/websocket.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import type { Reception } from './channel-entrance.ts'
import type { Entrance, Link } from './entrance.ts'
import type { Seat } from './seat.ts'

/** A connection of a member. */
interface Joined extends WebSocketConnection {
  /** Sends frames that are packed already. Returns false if it is slow. */
  sendPacked(frames: Uint8Array): boolean
}

/** Where members come in. */
interface WebSocketReception extends Reception {
  readonly values: { readonly member_buffer: Bytes }
}

type ConnectionClass = new (options: any) => WebSocketConnection

const checkBase = classOf(WebSocketConnection)

export class WebSocketEntrance implements Entrance {
  readonly #server: WebSocketServer
  readonly #before: ConnectionClass
  readonly #taken: ConnectionClass
  readonly #members = new Set<WebSocketConnection>()
  isOpen = true

  /** Throws InvalidArgumentError if the connections of the server do not speak WebSocket. */
  constructor(server: WebSocketServer, reception: WebSocketReception) {
    const Base = server.ConnectionClass as unknown as ConnectionClass
    checkBase('listen: ConnectionClass of the server', Base)
    this.#server = server
    this.#before = Base
    this.#taken = takingOver(Base, this, reception, this.#members)
    server.ConnectionClass = this.#taken as never
  }

  post(texts: readonly string[], links: Iterable<Link>): Link[] {
    const { text } = SERVER_PACKERS
    const frames = Buffer.concat(texts.map(each => text.pack(each)))
    const refused: Link[] = []
    for (const link of links) if (!(link as Joined).sendPacked(frames)) refused.push(link)
    return refused
  }

  part(link: Link, code: number, reason: string): void {
    ;(link as Joined).end(code, reason)
  }

  /** The server goes on; its next connections are of its own class again. */
  shut(force: boolean): void {
    this.isOpen = false
    if ((this.#server.ConnectionClass as unknown) === this.#taken)
      this.#server.ConnectionClass = this.#before as never
    for (const connection of [...this.#members]) {
      if (force) connection.close()
      else connection.end(1001, 'the server ends')
    }
  }
}

/** The class of the connections of a server, whose messages are for the rooms. */
function takingOver(
  Base: ConnectionClass,
  entrance: WebSocketEntrance,
  reception: WebSocketReception,
  members: Set<WebSocketConnection>,
): ConnectionClass {
  return class extends Base implements Joined {
    #seat: Seat | undefined
    #isFull = false

    override on_connect(): any {
      if (!entrance.isOpen) return this.end(1001, 'the server ends')
      members.add(this)
      const address = formatAddress(this.remote_address)
      this.#seat = reception.enter({ entrance, link: this, address, connection: this })
      return super.on_connect()
    }

    override on_message(data: string | Buffer): any {
      return this.#seat?.receive(data)
    }

    override on_write(): any {
      this.#isFull = false
      this.#seat?.ready()
      return super.on_write()
    }

    override on_close(reason: CloseReason): any {
      members.delete(this)
      this.#seat?.gone(reason === 'local' || reason === 'remote' ? '' : reason)
      return super.on_close(reason)
    }

    sendPacked(frames: Uint8Array): boolean {
      // A connection that is closing gets nothing, but is not slow.
      if (this.state !== 'active') return true
      if (this.#isFull) return false
      if (!sendPacked(sessionOf(this), frames))
        this.#isFull = this.bytes_queued >= reception.values.member_buffer
      return true
    }
  }
}
