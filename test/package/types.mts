// The installed package, by its types alone.
import {
  Client,
  Connection,
  Datagram,
  length_prefix,
  Server,
  Struct,
  type ReadDelimiter,
} from 'sluice'
import { Echo } from 'sluice/echo'
import {
  consumer,
  Envelope,
  integer,
  message,
  type MessageOf,
  one_of,
  optional,
  type Run,
  shape,
  text,
} from 'sluice/envelope'
import { Context, type Message, MessageChannel } from 'sluice/messages'
import { pair } from 'sluice/testing'
import { type UpgradeRequest, WebSocketConnection, WebSocketServer } from 'sluice/websocket'

// What TypeScript infers can be written into a declaration file.
export const client = new Client({ encoding: 'utf8' })
export const opened = new Server(Connection).listen(0).opened
export const packets = new Datagram()

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

const payload = shape({ x: integer, colour: one_of('red', 'blue'), note: optional(text) })

export class Move extends message('game.move', payload) {
  override run({ consumer }: Run<Player>): void {
    const x: number = this.data.x
    const colour: 'red' | 'blue' = this.data.colour
    const note: string | null = this.data.note
    consumer.reply(this, 'game.moved', { x, by: `${colour} ${note}` })
    // @ts-expect-error: there is no such message
    consumer.reply(this, 'game.move', { x })
    // @ts-expect-error: a field is missing
    consumer.reply(this, 'game.moved', { x })
  }
}
export class Moved extends message('game.moved', shape({ x: integer, by: text })) {}
export class Ended extends message('game.ended') {}

const to_server = new Envelope({ name: 'to_server', messages: [Move] })
const to_client = new Envelope({ name: 'to_client', messages: [Moved, Ended] })

export class Player extends consumer({ incoming: to_server, outgoing: to_client }) {}

export class Caller extends consumer({ incoming: to_client, outgoing: to_server }) {
  override on_message(message: MessageOf<typeof to_client>): void {
    if (message.type_name === 'game.moved') this.send('game.move', { x: 1, colour: 'red' })
    // @ts-expect-error: that is no colour
    else this.send('game.move', { x: 1, colour: 'green' })
  }
  async ask(): Promise<string> {
    const moved = await this.request('game.move', { x: 1, colour: 'red' }, { expect: 'game.moved' })
    return moved.data.by
  }
}
