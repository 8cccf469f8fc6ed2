/**
 * Bench. What envelopes cost, step by step: a text is unpacked, checked, dispatched and answered.
 * And what they add to an echo of the text, and to an echo that reads and writes JSON.
 */

import { Buffer } from 'node:buffer'
import { Engine } from '../../src/engine.ts'
import { consumer } from '../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../src/envelope/envelope.ts'
import { incoming_schema, outgoing_schema } from '../../src/envelope/envelope-schema.ts'
import { message, type Run } from '../../src/envelope/runnable.ts'
import { list } from '../../src/envelope/schema/list.ts'
import { integer, text } from '../../src/envelope/schema/scalars.ts'
import { CHECK } from '../../src/envelope/schema/schema.ts'
import { shape } from '../../src/envelope/schema/shape.ts'
import { Context } from '../../src/messages/context.ts'
import type { Case } from './cases.ts'
import { FakeClock, FakeNetwork } from './fake-network.ts'

/** Messages of a run. */
const COUNT = 1024

const position = shape({ x: integer, y: integer.min(0).max(1000), by: text.max(20) })

class Moved extends message('game.moved', position) {}
class Move extends message('game.move', position) {
  override run({ consumer }: Run<Player>): void {
    consumer.reply(this, 'game.moved', this.data)
  }
}

const incoming = new Envelope({ name: 'in', schema: incoming_schema, messages: [Move] })
const outgoing = new Envelope({ name: 'out', schema: outgoing_schema, messages: [Moved] })

class Player extends consumer({ incoming, outgoing }) {}

const TEXT = '{"t":"game.move","p":{"x":15,"y":27,"by":"ann"},"i":"a1"}'

export function envelopes(): Case[] {
  const data = incoming.parse(TEXT)
  const move = incoming.unpack(data) as Move
  const many = list(position)
  const batch = Array.from({ length: 1000 }, (_, x) => ({ x, y: x, by: 'ann' }))
  return [
    repeat('parse', () => incoming.parse(TEXT)),
    repeat('unpack: checked, and made', () => incoming.unpack(data)),
    repeat('pack, and JSON', () => JSON.stringify(outgoing.pack(move))),
    repeat('a shape of three fields', () => position[CHECK](data.p, [])),
    {
      what: 'envelope: a batch of 1000 checked, per item',
      run: () => (many[CHECK](batch, []), 1000),
    },
    throughDirect(
      ECHO,
      echo(text => text),
    ),
    {
      ...throughDirect(
        JSON_ECHO,
        echo(text => JSON.stringify(JSON.parse(text))),
      ),
      over: [ECHO, 1],
    },
    {
      ...throughDirect('envelope: received and answered, direct', context => {
        new Player().connect(SLAVE, context)
      }),
      over: [JSON_ECHO, 1],
    },
  ]
}

function repeat(what: string, call: () => unknown): Case {
  const run = (): number => {
    for (let count = 0; count < COUNT; count++) call()
    return COUNT
  }
  return { what: `envelope: ${what}`, run }
}

const ECHO = 'envelope: an echo of the text, direct'
const JSON_ECHO = 'envelope: an echo by JSON, direct'
const SLAVE = 'direct://;master=wire'

/** Sends back what `answer` makes of each text. */
function echo(answer: (text: string) => string): (context: Context) => void {
  return context => {
    const far = context.init(SLAVE).open()
    far.on_message = ({ data }) => void far.post(answer(data.toString()))
  }
}

/** One end of direct:// posts, and gets the answers of the other, which `connect` makes. */
function throughDirect(what: string, connect: (context: Context) => void): Case {
  const engine = new Engine({ clock: new FakeClock(), network: new FakeNetwork() })
  const context = new Context({ engine })
  const wire = context.init('direct://;name=wire').open()
  let answers = 0
  wire.on_message = () => void answers++
  connect(context)
  const bytes = Buffer.from(TEXT)
  const run = (): number => {
    answers = 0
    for (let count = 0; count < COUNT; count++) wire.post({ data: bytes })
    return answers
  }
  return { what, run }
}
