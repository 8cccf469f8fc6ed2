/**
 * Two processes of sluice-supervise are routers of one Redis or NATS: agents at one of them, their
 * supervisor at the other. The server of the relay dies in the middle, and then the router of the
 * agents. The agents end with 0 only if each has got every answer, once and in order.
 */

import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { bareNode, built } from '../built.ts'
import { until } from '../kit.ts'
import { folder, program } from '../websocket-peers.ts'
import { RELAYS, type RelayServer } from './relay-servers.ts'

const MAIN = `${built()}commands/supervise/main.js`

/** A process that runs one part. */
function part(t: Test, only: string, url: string, ...options: string[]) {
  return program(t, ...bareNode([MAIN, '--only', only, '--interval', '50', ...options, url]))
}

async function play(t: Test, server: RelayServer): Promise<void> {
  const path = await folder(t)
  const [a, b] = ['a', 'b'].map(name => `unix://${join(path, name)}`) as [string, string]
  const router = async (url: string) => {
    const child = part(t, 'router', url, '--relay', server.url)
    await until(() => child.said().includes('the router listens') || child.exitCode !== null)
    return child
  }
  const first = await router(a)
  await router(b)
  const supervisor = part(t, 'supervisor', b)
  const options = ['--agents', '3', '--rate', '400', '--count', '200']
  const agents = part(t, 'agents', a, ...options)
  const ended = once(agents, 'close')
  /** The agents have got so many answers. */
  const got = (count: number): Promise<void> =>
    until(() => {
      const received = agents
        .said()
        .match(/received \d+/g)
        ?.at(-1)
      return Number(received?.slice('received '.length)) >= count || agents.exitCode !== null
    })
  await got(100)
  await server.kill()
  await server.start()
  await got(300)
  first.kill('SIGKILL')
  await once(first, 'close')
  await router(a)
  const [code] = await ended
  t.equal(code, 0, agents.said().split('\n').slice(-5).join('\n'))
  t.match(supervisor.said(), /supervisor: alive, confirming/)
}

for (const { name, skip, forgetting } of RELAYS)
  t.test(`${name} dies, and then a router`, { skip, timeout: 120_000 }, async t =>
    play(t, await forgetting(t)),
  )
