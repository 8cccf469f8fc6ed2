/**
 * What a consumer of envelopes receives. Whatever comes: a valid message is answered as its class
 * says, everything else by one error message of the registry with the same trace id, and nothing is
 * thrown at the connection.
 */

import { Buffer } from 'node:buffer'
import { Engine } from '../../src/engine.ts'
import { Batch, Batch2 } from '../../src/envelope/builtin/batch.ts'
import { Ping, Pong } from '../../src/envelope/builtin/common-messages.ts'
import { consumer } from '../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../src/envelope/envelope.ts'
import { errors } from '../../src/envelope/envelope-table.ts'
import { ErrorMessage } from '../../src/envelope/error-message.ts'
import { ValidationError } from '../../src/envelope/errors.ts'
import { message, type Run } from '../../src/envelope/runnable.ts'
import { list } from '../../src/envelope/schema/list.ts'
import { boolean, integer, number, one_of, text } from '../../src/envelope/schema/scalars.ts'
import { optional } from '../../src/envelope/schema/schema.ts'
import { anything, shape } from '../../src/envelope/schema/shape.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { Context } from '../../src/messages/context.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { garbage, pick, type Random, type Target } from './target.ts'

const payload = shape({
  x: integer.min(0).max(9),
  y: optional(number, 0.5),
  name: text
    .min(1)
    .max(8)
    .pattern(/^[a-zé]+$/),
  kind: one_of('red', 5, true),
  on: optional(boolean),
  path: optional(list(shape({ a: integer })).max(3)),
  more: optional(anything),
})

class Move extends message('move', payload) {
  override run({ consumer }: Run<Peer>): void {
    consumer.reply(this, 's.pong')
  }
}

const incoming = new Envelope({ name: 'in', messages: [Move, Ping, Batch, Batch2] })
const outgoing = new Envelope({ name: 'out', messages: [Pong] })

class Peer extends consumer({ incoming, outgoing }) {
  readonly faults: unknown[] = []
  override on_error(error: Error): void {
    // An answer that nobody asked for is told here, if it is invalid.
    if (!(error instanceof ValidationError || error instanceof ErrorMessage))
      this.faults.push(error)
  }
}

// ---- texts --------------------------------------------------------------------------------------

// prettier-ignore
const KEYS = [
  't', 'p', 'i', 's', 'l', 'id', 'state', 'language', 'x', 'y', 'name', 'kind', 'on', 'path', 'a',
  'more', 'payloads', 'keys', 'values', 'common', '__proto__', 'constructor', 'prototype', '', 'é',
]

// prettier-ignore
const SCALARS = [
  '0', '5', '-1', '1e999', '1.5', '9007199254740993', 'true', 'null', '""', '"red"', '"tea"',
  '"move"', '"s.ping"', '"s.batch"', '"s.batch2"', '"error.generic"', '"f"', '"s"', '"\\ud800"',
  '"\\u0000"', `"${'x'.repeat(30)}"`, '"__proto__"',
]

/** JSON of any form, at most so deep. */
function value(random: Random, depth: number): string {
  const kind = random(depth > 0 ? 5 : 3)
  if (kind < 3) return pick(random, SCALARS)
  const items = Array.from({ length: random(5) }, () => value(random, depth - 1))
  if (kind === 3) return `[${items.join()}]`
  return `{${items.map(item => `${JSON.stringify(pick(random, KEYS))}:${item}`).join()}}`
}

const VALID = [
  '{"t":"move","p":{"x":5,"name":"tea","kind":"red"},"i":"a"}',
  '{"t":"move","p":{"x":0,"y":2,"name":"é","kind":5,"path":[{"a":1}],"more":{"b":[]}},"i":7}',
  '{"t":"s.ping","i":"b"}',
  '{"t":"s.batch","p":{"t":"s.ping","payloads":[null,null]},"i":"c"}',
  '{"t":"s.batch","p":{"t":"move","payloads":[{"x":1,"name":"a","kind":true},{}]},"i":"d"}',
  '{"t":"s.batch2","p":{"t":"move","keys":["x","name","kind"],"values":[[1,"a",5]]},"i":"e"}',
  '{"t":"error.generic","p":{"msg":"no"},"i":"f","s":"f"}',
]

/** One that is valid, with something else in one place. */
function changed(random: Random): string {
  const given = pick(random, VALID)
  const at = random(given.length)
  const kind = random(5)
  if (kind === 0) return given
  if (kind === 1) return given.slice(0, at) + given.slice(at + 1 + random(3))
  if (kind === 2) return given.slice(0, at) + pick(random, SCALARS) + given.slice(at)
  const part = kind === 3 ? /"\w+":("[^"]*"|\d+)/g : /(\{[^{}]*\}|\[[^[\]]*\])/g
  const parts = [...given.matchAll(part)]
  const { index, 0: found } = pick(random, parts)
  const key = kind === 3 ? `${JSON.stringify(pick(random, KEYS))}:` : ''
  return given.slice(0, index) + key + value(random, 2) + given.slice(index + found.length)
}

function input(random: Random): Buffer {
  const kind = random(20)
  if (kind === 0) return garbage(random, random(60))
  if (kind === 1) return Buffer.from('['.repeat(random(2000)))
  if (kind === 2) return Buffer.from(`{"t":"move","p":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`)
  if (kind < 6) return Buffer.from(value(random, 4))
  return Buffer.from(changed(random))
}

// ---- answers ------------------------------------------------------------------------------------

interface World {
  readonly wire: MessageChannel
  readonly peer: Peer
  readonly heard: string[]
}

let world: World | undefined

/** One consumer for all rounds: it must go on whatever has come. */
function made(): World {
  const network = new MemoryNetwork()
  const engine = new Engine({ network, clock: new ManualClock(), log: () => {} })
  const context = new Context({ engine })
  const wire = context.init('direct://;name=wire').open()
  const heard: string[] = []
  wire.callback_add(({ data }) => void heard.push(data.toString()), 'data')
  const peer = new Peer().connect('direct://;master=wire', context)
  return { wire, peer, heard }
}

/** The trace id that an answer must have; undefined: the envelope may be invalid, so any. */
function traceOf(bytes: Buffer): string | null | undefined {
  try {
    return incoming.parse(bytes.toString()).i
  } catch {
    return undefined
  }
}

function faultOf(answer: string, trace: string | null | undefined): string | undefined {
  const { t, i, s } = JSON.parse(answer) as { t: string; i: unknown; s: unknown }
  if (i !== (trace ?? null)) return `the trace id ${String(i)} instead of ${String(trace)}`
  if (t === 's.pong') return s === 's' ? undefined : 'a pong that has not the state s'
  if (!errors.registry.has(t) || s !== 'f') return 'no error message of the registry'
  errors.unpack(errors.parse(answer))
  return undefined
}

/** A million inputs are 10 000 rounds: npm run fuzz -- envelopes --rounds 10000 --seconds 3600 */
const INPUTS = 100

export const envelopes: Target = {
  name: 'envelopes',
  async round(random) {
    const { wire, peer, heard } = (world ??= made())
    await peer.opened
    // Its hooks and signals are done by then: nothing waits any more.
    await new Promise(setImmediate)
    const faults: string[] = []
    for (let count = 0; count < INPUTS; count++) {
      const bytes = input(random)
      wire.post({ data: bytes })
      const trace = traceOf(bytes)
      const answers = heard.splice(0)
      const found = answers.map(answer => faultOf(answer, trace)).filter(each => each !== undefined)
      // A message has one answer at most; each part of a batch has one.
      if (answers.length > 1 && !bytes.includes('s.batch')) found.push(`${answers.length} answers`)
      if (peer.state !== 'active') found.push('the consumer has closed')
      found.push(...peer.faults.splice(0).map(String))
      faults.push(...found.map(fault => `${bytes.toString().slice(0, 300)} → ${fault}`))
    }
    return faults
  },
}
