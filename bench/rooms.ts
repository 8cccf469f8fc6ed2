/**
 * Bench. `npm run bench:rooms`: what a message costs a server of rooms for each member that gets
 * it, beside npm's socket.io and a plain loop over connections of npm's ws, which are installed in
 * a temporary folder; what three processes by one Redis cost; and the memory of a member that does
 * nothing. `-- --node 20 --node latest` compares versions of Node.
 */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Answer } from './child.ts'
import { CORES, machine } from './machine.ts'
import { findNodes, type NodeBinary } from './nodes.ts'
import { Child, endAll, type Start } from './processes.ts'
import { Crowd, type Manners } from './rooms/crowd.ts'

/** socket.io as it was when this was written; ws that it brings. */
const PEERS = ['socket.io@4.8.4', 'ws']

const MEMBERS = 1000

/** So many messages at a time. */
const BATCH = 10

/** How often, for one sample. */
const TIMES = 80
const WARM_UP = 40

const ROUNDS = 3

const IDLE = 10_000

/** What is said has 64 bytes, whatever it looks like. */
const OURS: Manners = {
  join: '{"type":"_join","room":"r"}',
  message: `{"_room":"r","text":"${'x'.repeat(41)}"}`,
}
const OF_WS: Manners = { message: 'x'.repeat(64) }
const OF_SIO: Manners = {
  path: '/socket.io/?EIO=4&transport=websocket',
  join: '40',
  answers: 2,
  message: `42["m","${'x'.repeat(54)}"]`,
}

/** What is measured: its servers, and how members talk to them. */
interface Subject {
  readonly servers: readonly Start[]
  readonly manners: Manners
}

const { isPinned, cpu: processor, cores } = machine()

function start(program: Start): Child {
  return new Child(program.program, { ...program, core: isPinned ? CORES.server : undefined })
}

async function cpu(servers: readonly Child[]): Promise<number> {
  const answers = await Promise.all(servers.map(server => server.ask<Answer>('usage')))
  return answers.reduce((sum, answer) => sum + answer.cpu, 0)
}

/** One sample: µs of the servers' CPU time for each delivery. */
async function deliveries({ servers: programs, manners }: Subject): Promise<number> {
  const servers = programs.map(start)
  const crowd = new Crowd(manners)
  try {
    for (const [n, server] of servers.entries()) {
      const share = Math.ceil((MEMBERS - crowd.size) / (servers.length - n))
      await crowd.come(share, await server.port())
    }
    await crowd.joined()
    for (let n = 0; n < WARM_UP; n++) await crowd.round(BATCH)
    const before = await cpu(servers)
    let count = 0
    for (let n = 0; n < TIMES; n++) count += await crowd.round(BATCH)
    return ((await cpu(servers)) - before) / count
  } finally {
    crowd.close()
    await Promise.all(servers.map(server => server.end()))
  }
}

/** KiB of memory of a member of a room that does nothing. */
async function idle({ servers: [program], manners }: Subject): Promise<number> {
  const server = start(program as Start)
  const crowd = new Crowd(manners)
  try {
    const port = await server.port()
    await crowd.come(100, port)
    await crowd.joined()
    const before = await server.ask<Answer>('memory')
    await crowd.come(IDLE, port)
    await crowd.joined()
    const after = await server.ask<Answer>('memory')
    return (after.memory - before.memory) / IDLE / 1024
  } finally {
    crowd.close()
    await server.end()
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}

/** A redis-server on a unix socket. */
async function redis(folder: string): Promise<{ url: string; end(): void }> {
  const path = join(folder, 'redis.sock')
  const options = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder]
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] })
  server.on('error', () => {})
  for await (const text of server.stdout) if (/eady to accept/.test(String(text))) break
  server.stdout.destroy()
  return { url: `redis+unix://${path}`, end: () => void server.kill() }
}

/** A number with three digits that count. */
const short = (value: number): string => value.toPrecision(3)

/** The rows of one Node, as a table. The subjects take turns. */
async function compare({ path: node, version }: NodeBinary, folder: string): Promise<string[]> {
  const store = await redis(folder)
  const at = (program: string, ...args: string[]): Start => ({ program, args, node })
  const one: Subject = { servers: [at('servers/rooms')], manners: OURS }
  const shared = Array<Start>(3).fill(at('servers/rooms', store.url))
  const sio: Subject = { servers: [at('servers/sio', folder)], manners: OF_SIO }
  const subjects: readonly Subject[] = [
    sio,
    { servers: [at('servers/ws-loop', folder)], manners: OF_WS },
    one,
    { servers: shared, manners: OURS },
  ]
  const times = subjects.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [n, each] of subjects.entries()) times[n]!.push(await deliveries(each))
  store.end()
  const [ofSio, ofWs, own, three] = times.map(median) as [number, number, number, number]
  const idleOwn = await idle(one)
  const idleSio = await idle(sio)
  const row = (...cells: string[]): string => `| ${[version.slice(1), ...cells].join(' | ')} |`
  const what = 'µs, a delivery in a room of 1000'
  return [
    row(what, short(own), `socket.io ${short(ofSio)}`, `${short(ofSio / own)} times as good`),
    row(what, short(own), `a loop with ws ${short(ofWs)}`, `${short(ofWs / own)} times as good`),
    row(
      'µs, three processes by Redis',
      short(three),
      `one ${short(own)}`,
      `${short(three / own)} times one`,
    ),
    row(
      'KiB, an idle member',
      short(idleOwn),
      `socket.io ${short(idleSio)}`,
      `${short(idleOwn / idleSio)} of it`,
    ),
  ]
}

process.once('SIGINT', () => {
  endAll()
  process.exit(130)
})

const { values } = parseArgs({
  options: { node: { type: 'string', multiple: true, default: [] } },
})
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-rooms-'))
try {
  if (isPinned) spawnSync('taskset', ['-cp', String(CORES.generator), String(process.pid)])
  const nodes = findNodes(values.node, folder)
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  spawnSync('npm', ['install', ...quiet, '--prefix', folder, ...PEERS], { stdio: 'inherit' })
  const when = new Date().toISOString().slice(0, 16).replace('T', ' ')
  console.log(`${when} UTC; ${processor}, ${cores} cores; ${BATCH} messages of 64 bytes at a time;`)
  console.log(`medians of ${ROUNDS} rounds of CPU time of the servers, which take turns\n`)
  console.log('| Node | work | sluice | beside | ratio |\n|---|---|--:|--:|--:|')
  for (const node of nodes) for (const row of await compare(node, folder)) console.log(row)
} finally {
  endAll()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
