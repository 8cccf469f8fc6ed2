/**
 * How many packets a second go from agents through a router to a supervisor, each in a process of
 * its own, and how much memory connected agents cost the supervisor:
 *
 *     node --expose-gc bench/build/bench/packets.js
 *
 * Both ends confirm. The clock starts with the first packet that arrives.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { PacketAgent, PacketRouter, Supervisor, WebsocketChannel } from 'sluice/packets'

const [role = 'supervisor', url = '', agents = '0', packets = '0'] = process.argv.slice(2)

const ROUNDS: readonly (readonly [agents: number, packets: number])[] = [
  [20, 5000],
  [5000, 0],
]

function start(...argv: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), argv.map(String))
}

async function route(): Promise<void> {
  process.send!(await new PacketRouter().listen('ws://127.0.0.1:0/socket;mode=server'))
}

async function act(count: number, each: number): Promise<void> {
  const all = Array.from({ length: count }, (_, n) => new PacketAgent(`agent-${n}`, url).open())
  await Promise.all(all.map(({ opened }) => opened))
  process.send!('ready')
  for (let n = 0; n < each; n++) {
    for (const agent of all)
      while (!agent.send('agent_action', { n, text: 'hello' })) await agent.ready()
    if (n % 20 === 0) await new Promise(setImmediate)
  }
}

async function supervise(count: number, each: number): Promise<void> {
  const router = start('router')
  const [listening] = (await once(router, 'message')) as [string]
  const to = listening.split(';')[0] as string
  let got = 0
  let first = 0
  let done = (): void => {}
  const arrived = new Promise<void>(go => (done = go))
  const run = await new Supervisor().register_job({
    architect: { get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, to)] },
    handlers: {
      agent_action: () => {
        if (got++ === 0) first = performance.now()
        if (got === count * each) done()
      },
    },
  })
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  const people = start('agents', to, count, each)
  await once(people, 'message')
  if (each > 0) {
    await arrived
    const rate = Math.round((count * each) / ((performance.now() - first) / 1000))
    console.log(`${count} agents: ${rate} packets a second`)
  } else {
    while (run.agents.size < count) await new Promise(setImmediate)
    globalThis.gc?.()
    const growth = (process.memoryUsage.rss() - before) / 1024 / 1024
    console.log(`${count} agents: ${growth.toFixed(1)} MiB more in the supervisor`)
  }
  people.kill()
  router.kill()
  await run.shutdown(0)
}

if (role === 'supervisor') {
  for (const [count, each] of ROUNDS) await supervise(count, each)
  process.exit()
}
process.on('disconnect', () => process.exit())
if (role === 'router') await route()
else await act(Number(agents), Number(packets))
