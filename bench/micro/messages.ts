/**
 * Bench. What message channels cost: carriers alone, and with prefixes on top of them.
 */

import { Buffer } from 'node:buffer'
import { Engine } from '../../src/engine.ts'
import { FramedStream } from '../../src/messages/carriers/framed-stream.ts'
import { FRAMES } from '../../src/messages/carriers/frames.ts'
import { streamParams } from '../../src/messages/carriers/stream-params.ts'
import { Context } from '../../src/messages/context.ts'
import { Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { Params } from '../../src/messages/params.ts'
import { Url } from '../../src/messages/url.ts'
import type { Case } from './cases.ts'
import { FakeClock, FakeNetwork, FakeTransport } from './fake-network.ts'

/** Messages of 64 bytes in a run. */
const COUNT = 1024
const DATA = Buffer.alloc(64, 'x')

export function messages(): Case[] {
  return [
    throughDirect('direct', 'direct'),
    {
      ...throughDirect('direct, through one prefix', 'filter+direct'),
      over: ['message: direct', 1],
    },
    {
      ...throughDirect('direct, through three prefixes', 'filter+filter+filter+direct'),
      over: ['message: direct', 3],
    },
    throughMem(),
    framedIn(),
    framedOut(),
  ]
}

function context(): { context: Context; clock: FakeClock; engine: Engine } {
  const clock = new FakeClock()
  const engine = new Engine({ clock, network: new FakeNetwork() })
  return { context: new Context({ engine }), clock, engine }
}

function post(channel: MessageChannel): number {
  for (let seq = 0; seq < COUNT; seq++) channel.post({ msgid: 1, data: DATA })
  return COUNT
}

/** What is posted at one end is received at the other, within the call. */
function throughDirect(what: string, protocol: string): Case {
  const { context: all } = context()
  const master = all.init('direct://;name=m').open()
  const more = protocol === 'direct' ? '' : ';messages=!2'
  const slave = all.init(`${protocol}://;master=m${more}`).open()
  slave.on_message = () => {}
  return { what: `message: ${what}`, run: () => post(master) }
}

/** What is posted is received in later turns of the engine. */
function throughMem(): Case {
  const { context: all, clock } = context()
  const master = all.init('mem://;name=m;size=1mb').open()
  const slave = all.init('mem://;master=m').open()
  slave.on_message = () => {}
  const run = (): number => {
    post(master)
    while (slave.dcaps.has('pending')) clock.turn()
    return COUNT
  }
  return { what: 'message: mem', run }
}

function socket(): { transport: FakeTransport; made: FramedStream; clock: FakeClock } {
  const { engine, clock } = context()
  const transport = new FakeTransport()
  const owner = { connected() {}, received: () => undefined, failed() {}, closed() {} }
  return {
    transport,
    clock,
    made: new FramedStream(
      owner,
      streamParams(new Params(Url.parse('tcp://;send-buffer-size=1gb')), 'client'),
      {
        engine,
        socket: transport,
      },
    ),
  }
}

function framedIn(): Case {
  const { transport } = socket()
  const head = FRAMES.get('std')?.head(new Message({ msgid: 1, data: DATA })) as Uint8Array
  const chunk = Buffer.concat(Array.from({ length: COUNT }, () => [head, DATA]).flat())
  const run = (): number => {
    transport.sink?.received(chunk)
    return COUNT
  }
  return { what: 'message: tcp, std frames, received', run }
}

function framedOut(): Case {
  const { made, clock } = socket()
  const run = (): number => {
    for (let seq = 0; seq < COUNT; seq++) made.post(new Message({ msgid: 1, data: DATA }))
    clock.turn()
    return COUNT
  }
  return { what: 'message: tcp, std frames, sent', run }
}
