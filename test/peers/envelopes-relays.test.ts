/**
 * Consumers of two processes by one Redis or NATS: what is published reaches all of a channel,
 * once; a message from outside reaches the one that it is for, in whichever process. One process
 * is killed, and then the server of the relay, which is started again.
 */

import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { consumer } from '../../src/envelope/index.ts'
import { Context } from '../../src/messages/context.ts'
import { bareNode } from '../built.ts'
import { until } from '../kit.ts'
import { saying } from '../websocket-peers.ts'
import { incoming, outgoing, Said } from './envelope-board.ts'
import { RELAYS, type RelayServer } from './relay-servers.ts'

const BOARD = fileURLToPath(new URL('./envelope-board.js', import.meta.url))

/** A process of the board. */
async function board(t: Test, relay: string) {
  const { found, kill } = await saying(t, /^ws:\S+(?=\n)/m, ...bareNode([BOARD, relay]))
  return { url: found[0], kill }
}

class Person extends consumer({ incoming: outgoing, outgoing: incoming }) {
  readonly heard: string[] = []
  override on_message(message: { type_name: string; data: unknown }): void {
    if (message instanceof Said) this.heard.push(message.data.text)
  }
  override on_error(): void {}
}

async function goes(t: Test, server: RelayServer): Promise<void> {
  const context = new Context({ engine: new Engine({ log() {} }) })
  const [one, two] = await Promise.all([board(t, server.url), board(t, server.url)])
  const person = async ({ url }: { url: string }) => {
    const it = await new Person().connect(url, context).opened
    t.teardown(() => it.close())
    const { data } = await it.request('join', undefined, { expect: 'name' })
    return Object.assign(it, { called: data.name })
  }
  const [ann, bob, carl] = await Promise.all([person(one), person(two), person(two)])
  const all = [ann, bob, carl]
  ann.send('say', { text: 'hello' })
  await until(() => all.every(({ heard }) => heard.length > 0))
  bob.send('whisper', { to: ann.called, text: 'hush' })
  await until(() => ann.heard.length > 1)
  await carl.request('leave')
  ann.send('say', { text: 'again' })
  await until(() => bob.heard.length > 1 && ann.heard.length > 2)
  t.strictSame(
    all.map(({ heard }) => heard.join()),
    ['hello,hush,again', 'hello,again', 'hello'],
  )
  await one.kill()
  t.equal(await ann.closed, 'remote')
  await server.kill()
  await server.start()
  // While the server is away what is said is lost; afterwards it is not.
  await until(() => bob.send('say', { text: 'back' }) && bob.heard.includes('back'))
  t.strictSame([carl.heard, bob.heard.slice(0, 2)], [['hello'], ['hello', 'again']])
}

for (const { name, skip, forgetting } of RELAYS)
  t.test(`envelopes by ${name}`, { skip }, async t => goes(t, await forgetting(t)))
