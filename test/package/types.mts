// The installed package, by its types alone.
import { Connection, length_prefix, Server, Struct, type ReadDelimiter } from 'sluice'
import { Echo } from 'sluice/echo'
import { Context, type Message, MessageChannel } from 'sluice/messages'
import { pair } from 'sluice/testing'
import { type UpgradeRequest, WebSocketConnection, WebSocketServer } from 'sluice/websocket'

const header = new Struct('!LH')

export class Header extends Connection<typeof header> {
  override read_delimiter = header
  override on_read(id: number, length: number): void {
    this.write_packed(header, id, length)
    // @ts-expect-error: a number is not text
    this.write(header.pack(id, 'length'))
  }
}

export class Changing extends Connection {
  override read_delimiter: ReadDelimiter = '\r\n'
  override on_read(): void {
    this.read_delimiter = length_prefix()
    // @ts-expect-error: true is no delimiter
    this.read_delimiter = true
  }
}

export class Chat extends WebSocketConnection {
  override deflate = { threshold: 100 }
  override on_upgrade(request: UpgradeRequest): void {
    if (request.query.get('token') === null) request.refuse(401)
    // @ts-expect-error: a status is a number
    else request.refuse('403')
  }
  override on_message(data: string | Buffer): void {
    this.send(data, { compress: false })
    // @ts-expect-error: a number is no message
    this.send(5)
  }
}

export const web: Server = new WebSocketServer(Chat, { origins: '*', path: '/chat' })

export const server: Server = new Server(Echo, { max_connections: 1 })
export const reads: Promise<unknown[]> = pair({ connection: Echo }).then(
  ({ client }) => client.reads,
)

export class Mine extends MessageChannel {
  static override readonly protocol = 'mine'
  override do_post({ data, seq }: Message): void {
    this.emit({ data, seq: seq + 1n })
    // @ts-expect-error: a seq is a bigint
    this.emit({ seq: 1 })
  }
}

export const received: Promise<Message> = Context.instance()
  .init('mine://')
  .recv({ type: 'data', timeout: 10 })
