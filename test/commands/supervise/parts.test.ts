/** The parts of the command: what they say of each other when one of them fails. */

import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  AgentsPart,
  RouterPart,
  type Setting,
  SupervisorPart,
} from '../../../src/commands/supervise/parts.ts'
import { Engine } from '../../../src/engine.ts'
import { Context } from '../../../src/messages/context.ts'
import { MockServer } from '../../../src/packets/mocks/mock-server.ts'
import { until } from '../../kit.ts'

function make(url: string, options: Partial<Setting> = {}): { setting: Setting; said: string[] } {
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  const engine = new Engine({ log: say })
  const http = createServer
  const defaults = { agents: 1, rate: 1000, count: 2, relay: undefined }
  const context = new Context({ engine })
  return { setting: { url, context, engine, say, http, ...defaults, ...options }, said }
}

t.test('answers that do not come, come twice, or after a gap', async t => {
  const context = new Context()
  const server = new MockServer({
    context,
    url: `unix://${join(mkdtempSync(join(tmpdir(), 'sluice-')), 's')};mode=server`,
  })
  const url = (await server.open()).replace(';mode=client', '')
  const { setting, said } = make(url)
  const agents = new AgentsPart(setting)
  await agents.open()
  for (const n of [5, 0, 1])
    server.send({
      packet_type: 'request_act',
      sender_id: 'mephisto',
      receiver_id: 'agent-1',
      data: { n },
    })
  t.equal(await agents.done, false)
  t.match(agents.row(), { name: 'agents', state: '1 of 1 alive', received: 3, lost: 2 })
  server.send('{')
  await until(() => said.length > 0)
  t.match(said, [/^agent-1: the packet is no JSON/])
  const resting = agents.rest()
  await until(() => agents.row().queued === 0)
  await resting
  await agents.close()
  await server.close()
})

t.test('a router that goes for good', async t => {
  const context = new Context()
  const server = new MockServer({ context, url: 'ws://127.0.0.1:0;mode=server' })
  const { setting, said } = make((await server.open()).replace(/;mode.*/, ''))
  const supervisor = new SupervisorPart(setting)
  t.match(supervisor.row(), { state: 'opening' })
  await supervisor.open()
  server.send({ packet_type: 'odd', sender_id: 'ann', receiver_id: 'mephisto' })
  await until(() => said.length > 0)
  t.match(said.splice(0), [/nobody handles/])
  await server.close()
  await until(() => supervisor.row().state === 'not alive')
  const refuses = createServer((_, response) => void response.writeHead(404).end())
  const port = Number(/:(\d+)/.exec(setting.url.slice(5))![1])
  await new Promise<void>(go => refuses.listen(port, '127.0.0.1', () => go()))
  t.equal(await supervisor.done, false)
  t.match(said.at(-1), /is lost/)
  t.match(supervisor.row(), { state: 'closed' })
  const { setting: other, said: more } = make(setting.url)
  const agents = new AgentsPart(other)
  await t.rejects(agents.open(), { code: 'ERR_LOST' })
  t.equal(await agents.done, false)
  t.match(more.at(-1), /is lost/)
  await Promise.all([supervisor.rest(), agents.close(), supervisor.close()])
  refuses.close()
})

// With port 0, and with mem://, the others connected to what nobody listened at.
t.test('all three, beside a server of HTTP or not; the router says where it listens', async t => {
  for (const [url, listens] of [
    ['ws://127.0.0.1:0', /on ws:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ['ws://127.0.0.1:0/x', /on ws:\/\/127\.0\.0\.1:[1-9]\d*\/x$/],
    ['mem://', /on mem:\/\/;master=/],
  ] as const) {
    const { setting, said } = make(url)
    const router = new RouterPart(setting)
    const supervisor = new SupervisorPart(setting)
    const agents = new AgentsPart(setting)
    const parts = [router, supervisor, agents]
    for (const part of parts) await part.open()
    t.match(said, [listens])
    t.equal(await agents.done, true)
    t.match(supervisor.row(), { state: 'alive, confirming', received: 2 })
    for (const part of parts.reverse()) await part.rest()
    for (const part of parts) await part.close()
  }
})

t.test('a router', async t => {
  const { setting, said } = make(`unix://${join(mkdtempSync(join(tmpdir(), 'sluice-')), 's')}`)
  const router = new RouterPart(setting)
  await router.open()
  t.match(said, [/^the router listens on unix/])
  const odd = new Context().init(setting.url).open()
  await odd.opened
  odd.post('{')
  await until(() => said.length > 2)
  t.match(router.row(), { name: 'router', state: '0 there, 0 away', received: 1, lost: 1 })
  odd.close()
  await router.rest()
  await router.close()
})
