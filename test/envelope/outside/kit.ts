/** A layer of one test, and an envelope whose messages go through it. */

import type { Engine } from '../../../src/engine.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { error_schema, outgoing_schema } from '../../../src/envelope/envelope-schema.ts'
import { DictTransport, TextTransport } from '../../../src/envelope/envelope-transports.ts'
import { error_message } from '../../../src/envelope/error-message.ts'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { add_layers } from '../../../src/envelope/layers/layer-table.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { integer } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'

export class Tick extends message('tick', shape({ x: integer })) {}
export class Tock extends message('tock') {
  static override readonly allow_batch: boolean = false
}
export class Broken extends error_message('error.broken', shape({ x: integer })) {}

export interface Outside {
  readonly layer: Layer
  readonly outgoing: Envelope<[typeof Tick, typeof Tock]>
  readonly inside: Envelope<[typeof Tick]>
  readonly broken: Envelope<[typeof Broken]>
}

let count = 0

export function outside(engine: Engine): Outside {
  const layer_name = `outside-${++count}`
  const layer = new Layer(new MemoryRelay({ engine }), layer_name)
  add_layers(layer)
  return {
    layer,
    outgoing: new Envelope<[typeof Tick, typeof Tock]>({
      name: `${layer_name}-out`,
      messages: [Tick, Tock],
      schema: outgoing_schema,
      transport: new TextTransport('websocket.send'),
      allow_batch: true,
      layer_name,
    }),
    inside: new Envelope<[typeof Tick]>({
      name: `${layer_name}-in`,
      messages: [Tick],
      transport: new DictTransport('internal.msg'),
      layer_name,
    }),
    broken: new Envelope<[typeof Broken]>({
      name: `${layer_name}-errors`,
      messages: [Broken],
      schema: error_schema,
      transport: new DictTransport('ws.error.send'),
      layer_name,
    }),
  }
}
