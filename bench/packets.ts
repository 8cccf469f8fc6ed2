/**
 * Bench. `npm run bench:packets`: how many packets a second go from agents through a router to a
 * supervisor, each in a process of its own, one way and with answers, and what each process needs
 * for a packet; and how much memory connected agents cost the supervisor. With `--readme` the
 * results go into bench/README.md.
 *
 * Both ends confirm. The clock starts with the first packet that arrives.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  type Packet,
  PacketAgent,
  PacketRouter,
  type Run,
  Supervisor,
  WebsocketChannel,
} from 'sluice/packets'
import { build, machine, PROJECT } from './machine.ts'
import { findNodes } from './nodes.ts'
import { replaceSection } from './sections.ts'

interface Round {
  readonly agents: number
  /** So many packets of each agent. */
  readonly each: number
  /** Is each packet answered? */
  readonly isAnswered?: boolean
}

/** What one Node has done. */
interface Results {
  /** MiB that 5000 agents have added to the supervisor. */
  readonly growth: number
  readonly oneWay: Flow
  readonly answered: Flow
}

interface Flow {
  /** Packets of agents a second. */
  readonly rate: number
  /** CPU time of each process for a packet, in µs. */
  readonly agents: number
  readonly router: number
  readonly supervisor: number
}

const CROWD = { agents: 5000, each: 0 }
const ONE_WAY: Round = { agents: 20, each: 10_000 }
const ANSWERED: Round = { ...ONE_WAY, isAnswered: true }

const CORES = 2

const HEADS = [
  'from 20 agents to the supervisor',
  'Node',
  'packets a second',
  'that the CPU time allows',
  'CPU µs: agents',
  'router',
  'supervisor',
]

/** Each flow is measured so often; the best counts: others only slow it down. */
const TIMES = 3

// ---- the processes ------------------------------------------------------------------------------

function start(...argv: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--role', ...argv.map(String)])
}

async function end(...children: ChildProcess[]): Promise<void> {
  const ended = children.map(child => once(child, 'exit'))
  for (const child of children) child.disconnect()
  await Promise.all(ended)
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

async function act(url: string, count: number, each: number, isAnswered: boolean): Promise<void> {
  let left = count * each
  const on_packet = (): void => void (--left === 0 && process.send!('answered'))
  const options = isAnswered ? { on_packet } : {}
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

/** A supervisor in this process, and a router of its own. */
async function open(on_action: (packet: Packet, run: Run) => void) {
  const router = start('router')
  const [listening] = (await once(router, 'message')) as [string]
  const url = listening.split(';')[0] as string
  const run = await new Supervisor().register_job({
    architect: {
      get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, url)],
    },
    handlers: { agent_action: on_action },
  })
  return { router, url, run }
}

async function crowd({ agents }: Round): Promise<number> {
  const { router, url, run } = await open(() => {})
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  const people = start('agents', url, agents, 0)
  await once(people, 'message')
  while (run.agents.size < agents) await new Promise(setImmediate)
  globalThis.gc?.()
  const growth = process.memoryUsage.rss() - before
  await run.shutdown(0)
  await end(people, router)
  return growth / 1024 / 1024
}

async function flow({ agents, each, isAnswered = false }: Round): Promise<Flow> {
  const count = agents * each
  let got = 0
  let first = 0
  let done = (): void => {}
  const arrived = new Promise<void>(go => (done = go))
  const { router, url, run } = await open(({ sender_id, data }, run) => {
    if (got++ === 0) first = performance.now()
    if (got === count) done()
    const fields = { packet_type: 'request_act', sender_id: 'mephisto', receiver_id: sender_id! }
    if (isAnswered && !run.send({ ...fields, data })) throw new Error('the queue is full')
  })
  const before = usage()
  const people = start('agents', url, agents, each, ...(isAnswered ? ['answered'] : []))
  await once(people, 'message')
  await (isAnswered ? once(people, 'message') : arrived)
  const rate = (count * 1000) / (performance.now() - first)
  const own = usage() - before
  const result = {
    rate,
    agents: (await usageOf(people)) / count,
    router: (await usageOf(router)) / count,
    supervisor: own / count,
  }
  await run.shutdown(0)
  await end(people, router)
  return result
}

async function best(round: Round): Promise<Flow> {
  const flows: Flow[] = []
  for (let n = 0; n < TIMES; n++) flows.push(await flow(round))
  return flows.reduce((best, each) => (each.rate > best.rate ? each : best))
}

async function supervise(): Promise<void> {
  // Memory first: later the process has room from before.
  const growth = await crowd(CROWD)
  process.send!({ growth, oneWay: await best(ONE_WAY), answered: await best(ANSWERED) })
}

// ---- the command --------------------------------------------------------------------------------

async function measure(node: string): Promise<Results> {
  const file = fileURLToPath(import.meta.url)
  const options = { execPath: node, execArgv: ['--expose-gc'] }
  const child = fork(file, ['--role', 'supervisor'], options)
  const [results] = (await once(child, 'message')) as [Results]
  await end(child)
  return results
}

function tableOf(all: readonly (readonly [version: string, results: Results])[]): string {
  const { cpu, cores } = machine()
  const { version, commit } = build()
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const flowOf = (name: string, node: string, flow: Flow): string => {
    const { rate, agents, router, supervisor } = flow
    const times = [agents, router, supervisor]
    const sum = agents + router + supervisor
    const rates = [rate, Math.min(1e6 / Math.max(...times), (CORES * 1e6) / sum)]
    const cells = [
      ...rates.map(each => `${Math.round(each / 1000)} k`),
      ...times.map(each => each.toFixed(1)),
    ]
    return `| ${[name, node, ...cells].join(' | ')} |`
  }
  return [
    `sluice ${version} (${commit}); ${date} UTC; ${cpu}, ${cores} cores; best of ${TIMES};`,
    `load ${loadavg()[0]!.toFixed(1)} with that of the bench.`,
    '',
    `| ${HEADS.join(' | ')} |`,
    '|---|--:|--:|--:|--:|--:|--:|',
    ...all.map(([node, { oneWay }]) => flowOf('one way', node, oneWay)),
    ...all.map(([node, { answered }]) => flowOf('each is answered', node, answered)),
    '',
    ...all.map(
      ([node, { growth }]) =>
        `Node ${node}: ${CROWD.agents} agents take ${growth.toFixed(1)} MiB in the supervisor.`,
    ),
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { node: { type: 'string', multiple: true }, readme: { type: 'boolean' } },
  })
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-packets-'))
  try {
    const all: [string, Results][] = []
    for (const { path, version } of findNodes(values.node ?? [], folder))
      all.push([version.slice(1), await measure(path)])
    const table = tableOf(all)
    console.log(table)
    if (values.readme !== true) return
    const page = new URL('bench/README.md', PROJECT)
    const text = replaceSection(readFileSync(page, 'utf8'), 'packets', table)
    if (text === undefined) throw new Error('bench/README.md has no place for it')
    writeFileSync(page, text)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const [, , flag, role, url = '', agents, packets, answered] = process.argv
if (flag !== '--role') await main()
else {
  process.on('disconnect', () => process.exit())
  if (role === 'supervisor') await supervise()
  else {
    tellUsage()
    if (role === 'router') await route()
    else await act(url, Number(agents), Number(packets), answered !== undefined)
  }
}
