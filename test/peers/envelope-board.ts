/** A board of envelopes: its messages, and a process that serves it over a relay. */

import {
  add_layers,
  channel_messages,
  consumer,
  ConsumerServer,
  Envelope,
  Layer,
  message,
  pubsub_channel,
  pubsub_channel_registry,
  type Run,
  shape,
  text,
  TextTransport,
  websocket_send,
} from '../../src/envelope/index.ts'
import { open_relay } from '../../src/relay/open-relay.ts'

export class Said extends message('said', shape({ text })) {}
export class Name extends message('name', shape({ name: text })) {}

export const outgoing = new Envelope({
  name: 'board-out',
  messages: [Said, Name, ...channel_messages.outgoing],
  transport: new TextTransport('websocket.send'),
})

export class Board extends pubsub_channel('board', { envelope: outgoing }) {}

/** Joins the board, and is told under which name others reach it. */
class Join extends message('join') {
  override async run({ consumer }: Run<Member>): Promise<void> {
    const { channel_name: name } = consumer
    await new Board(name).subscribe()
    consumer.reply(this, 'name', { name })
  }
}
class Leave extends message('leave') {
  override run({ consumer }: Run<Member>): void {
    new Board(consumer.channel_name).leave()
    consumer.reply(this, 'name', { name: consumer.channel_name })
  }
}
class Say extends message('say', shape({ text })) {
  override run(): void {
    new Board().publish(new Said(this.data))
  }
}
class Whisper extends message('whisper', shape({ to: text, text })) {
  override run(): void {
    websocket_send(new Said({ text: this.data.text }), {
      channel_name: this.data.to,
      envelope: outgoing,
    })
  }
}

export const incoming = new Envelope({ name: 'board-in', messages: [Join, Leave, Say, Whisper] })
class Member extends consumer({ incoming, outgoing }) {}

/** Serves the board over that relay, and prints the URL of its clients. */
async function serve(relay: string): Promise<void> {
  add_layers(new Layer(open_relay(relay)))
  pubsub_channel_registry.add(Board)
  const server = new ConsumerServer(Member).listen('ws://127.0.0.1:0;mode=server')
  await server.opened
  console.log(server.client_url)
}

if (process.argv[2] !== undefined && process.argv[1]?.includes('envelope-board') === true)
  await serve(process.argv[2])
