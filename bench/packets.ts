/**
 * How many packets a second go from agents through a router to a supervisor, each in a process of
 * its own, one way and with answers, and what each process needs for a packet; and how much memory
 * connected agents cost the supervisor:
 *
 *     node --expose-gc bench/build/bench/packets.js
 *
 * Both ends confirm. The clock starts with the first packet that arrives.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type Packet,
  PacketAgent,
  PacketRouter,
  type Run,
  Supervisor,
  WebsocketChannel,
} from 'sluice/packets'

const [role = 'supervisor', url = '', agents = '0', packets = '0', answered] = process.argv.slice(2)

interface Round {
  readonly agents: number
  /** So many packets of each agent. */
  readonly each: number
  /** Is each packet answered? */
  readonly isAnswered?: boolean
}

/** Memory first: later the process has room from before. */
const ROUNDS: readonly Round[] = [
  { agents: 5000, each: 0 },
  { agents: 20, each: 5000 },
  { agents: 20, each: 5000, isAnswered: true },
]

function start(...argv: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), argv.map(String))
}

/** The process says its CPU time, in µs, when it is asked. */
function tellUsage(): void {
  process.on('message', () => process.send!(usage()))
}

function usage(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function usageOf(child: ChildProcess): Promise<number> {
  child.send('usage')
  const [microseconds] = (await once(child, 'message')) as [number]
  return microseconds
}

async function route(): Promise<void> {
  process.send!(await new PacketRouter().listen('ws://127.0.0.1:0/socket;mode=server'))
}

async function act(count: number, each: number): Promise<void> {
  let left = count * each
  const on_packet = (): void => void (--left === 0 && process.send!('answered'))
  const options = answered === undefined ? {} : { on_packet }
  const all = Array.from({ length: count }, (_, n) =>
    new PacketAgent(`agent-${n}`, url, options).open(),
  )
  await Promise.all(all.map(({ opened }) => opened))
  process.send!('ready')
  for (let n = 0; n < each; n++) {
    for (const agent of all)
      while (!agent.send('agent_action', { n, text: 'hello' })) await agent.ready()
    if (n % 20 === 0) await new Promise(setImmediate)
  }
}

async function supervise({ agents, each, isAnswered = false }: Round): Promise<void> {
  const router = start('router')
  const [listening] = (await once(router, 'message')) as [string]
  const to = listening.split(';')[0] as string
  let got = 0
  let first = 0
  let done = (): void => {}
  const arrived = new Promise<void>(go => (done = go))
  const answer = ({ sender_id, data }: Packet, run: Run): void => {
    const packet_type = 'request_act'
    if (!run.send({ packet_type, sender_id: 'mephisto', receiver_id: sender_id!, data }))
      throw new Error('the queue is full')
  }
  const run = await new Supervisor().register_job({
    architect: { get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, to)] },
    handlers: {
      agent_action: (packet, run) => {
        if (got++ === 0) first = performance.now()
        if (got === agents * each) done()
        if (isAnswered) answer(packet, run)
      },
    },
  })
  globalThis.gc?.()
  const before = { rss: process.memoryUsage.rss(), cpu: usage() }
  const people = start('agents', to, agents, each, ...(isAnswered ? ['answered'] : []))
  await once(people, 'message')
  if (each > 0) {
    await (isAnswered ? once(people, 'message') : arrived)
    const seconds = (performance.now() - first) / 1000
    const cpu = [await usageOf(people), await usageOf(router), usage() - before.cpu]
    const count = agents * each
    const [theirs, routers, own] = cpu.map(each => (each / count).toFixed(1))
    console.log(
      `${agents} agents${isAnswered ? ', with answers' : ''}: ` +
        `${Math.round(count / seconds)} packets a second; CPU time of each: ` +
        `agents ${theirs} µs, router ${routers} µs, supervisor ${own} µs`,
    )
  } else {
    while (run.agents.size < agents) await new Promise(setImmediate)
    globalThis.gc?.()
    const growth = (process.memoryUsage.rss() - before.rss) / 1024 / 1024
    console.log(`${agents} agents: ${growth.toFixed(1)} MiB more in the supervisor`)
  }
  people.kill()
  router.kill()
  await run.shutdown(0)
}

if (role === 'supervisor') {
  for (const round of ROUNDS) await supervise(round)
  process.exit()
}
process.on('disconnect', () => process.exit())
tellUsage()
if (role === 'router') await route()
else await act(Number(agents), Number(packets))
