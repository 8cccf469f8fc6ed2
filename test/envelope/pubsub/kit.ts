/** Channels about lists, over a layer of the test's own, and consumers with a peer. */

import type { Test } from 'tap'
import { consumer } from '../../../src/envelope/consumers/consumer.ts'
import { Model } from '../../../src/envelope/context/model.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { outgoing_schema } from '../../../src/envelope/envelope-schema.ts'
import { DictTransport, TextTransport } from '../../../src/envelope/envelope-transports.ts'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../../src/envelope/layers/layer-table.ts'
import { channel_messages } from '../../../src/envelope/pubsub/channel-messages.ts'
import { context_channel_registry } from '../../../src/envelope/pubsub/channel-registry.ts'
import { context_channel, UserChannel } from '../../../src/envelope/pubsub/context-channel.ts'
import { pubsub_channel } from '../../../src/envelope/pubsub/pubsub-channel.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { text } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { type Stage, stage } from '../../messages/kit.ts'

export class Said extends message('said', shape({ text })) {}

const layer_name = 'pubsub'
export const outgoing = new Envelope({
  name: 'pubsub-out',
  messages: [Said, ...channel_messages.outgoing],
  schema: outgoing_schema,
  transport: new TextTransport('websocket.send'),
  allow_batch: true,
  layer_name,
})
export const inside = new Envelope({
  name: 'pubsub-in',
  messages: channel_messages.internal,
  transport: new DictTransport('internal.msg'),
  layer_name,
})
const incoming = new Envelope({ name: 'pubsub-from', messages: channel_messages.incoming })

export interface List {
  readonly pk: number
  readonly viewers: string[]
}
export const lists = new Map<number, List>()
export const model = new Model<List>({
  name: 'list',
  find: (pk: number) => lists.get(pk),
  has_perm: (user: string, _permission, list) => list.viewers.includes(user),
})

export class ListChannel extends context_channel('list', {
  model,
  permission: 'view',
  envelope: outgoing,
}) {}
export class OpenChannel extends context_channel('list_open', { model, envelope: outgoing }) {}
export class News extends pubsub_channel('news', { envelope: outgoing }) {}
export class OwnChannel extends UserChannel {
  static override readonly envelope = outgoing as never
}
context_channel_registry.add(ListChannel, OpenChannel, OwnChannel)

export class Reader extends consumer({ incoming, outgoing }) {
  override readonly internal = inside
  readonly log: string[] = []
  override on_error(error: Error) {
    this.log.push(String((error as { code?: string }).code ?? error.message))
  }
}

export interface Library extends Stage {
  readonly reader: Reader
  readonly layer: Layer
  readonly heard: string[]
  say(text: string): void
}

/** A subtest with a consumer whose user is ann, number 7. */
export function library(
  t: Test,
  title: string,
  body: (t: Test, library: Library) => Promise<void>,
): Promise<void> {
  return stage(t, title, async (t, stage) => {
    const { engine, context, pump } = stage
    remove_layers(layer_name)
    const layer = new Layer(new MemoryRelay({ engine }), layer_name)
    add_layers(layer)
    lists.clear()
    lists.set(1, { pk: 1, viewers: ['ann'] })
    lists.set(2, { pk: 2, viewers: [] })
    const peer = context.init('mem://;name=peer').open()
    const heard: string[] = []
    peer.callback_add(({ data }) => {
      const { t, p, i, s } = JSON.parse(data.toString())
      heard.push(`${t} ${JSON.stringify(p)} ${i} ${s}`)
    }, 'data')
    const reader = new Reader()
    Object.assign(reader, { user: 'ann', user_pk: 7 })
    await reader.connect('mem://;master=peer', context).opened
    await pump()
    await body(t, { ...stage, reader, layer, heard, say: text => void peer.post(text) })
    reader.close()
    peer.close()
  })
}
