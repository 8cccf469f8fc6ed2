/**
 * Bench. A consumer of envelopes over WebSocket: each message is read, checked and answered.
 */

import {
  consumer,
  ConsumerServer,
  Envelope,
  integer,
  message,
  outgoing_schema,
  type Run,
  shape,
  text,
} from 'sluice/envelope'
import { ready } from '../child.ts'

const payload = shape({ n: integer.min(0), text: text.max(100) })

class Echo extends message('echo', payload) {
  override run({ consumer }: Run<Peer>): void {
    consumer.reply(this, 'echo', this.data)
  }
}

const messages = [Echo] as const
const incoming = new Envelope({ name: 'in', schema: outgoing_schema, messages })
const outgoing = new Envelope({ name: 'out', schema: outgoing_schema, messages })

class Peer extends consumer({ incoming, outgoing }) {}

const server = new ConsumerServer(Peer).listen('ws://127.0.0.1:0/;mode=server')
await server.opened
ready(server.channel?.info['local'] as [string, number])
