/**
 * Bench. `npm run bench:rooms`: what a message costs a server of rooms for each member that gets
 * it, beside a plain loop over connections of npm's ws, which is installed in a temporary folder;
 * what three processes by one Redis cost; and the memory of a member that does nothing.
 */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer } from './child.ts'
import { CORES, machine } from './machine.ts'
import { Child, endAll, type Start } from './processes.ts'
import { Crowd } from './rooms/crowd.ts'

const MEMBERS = 1000

/** So many messages at a time. */
const BATCH = 10

/** How often, for one sample. */
const TIMES = 150
const WARM_UP = 50

const ROUNDS = 5

const IDLE = 10_000

const JOIN = '{"type":"_join","room":"r"}'

/** 64 bytes. */
const MESSAGE = `{"_room":"r","text":"${'x'.repeat(41)}"}`

const isPinned = machine().isPinned

function start(program: Start): Child {
  return new Child(program.program, { ...program, core: isPinned ? CORES.server : undefined })
}

async function cpu(servers: readonly Child[]): Promise<number> {
  const answers = await Promise.all(servers.map(server => server.ask<Answer>('usage')))
  return answers.reduce((sum, answer) => sum + answer.cpu, 0)
}

/** One sample: µs of the servers' CPU time for each delivery. */
async function sample(programs: readonly Start[], says?: string): Promise<number> {
  const servers = programs.map(start)
  const crowd = new Crowd()
  try {
    for (const [n, server] of servers.entries()) {
      const share = Math.ceil((MEMBERS - crowd.size) / (servers.length - n))
      await crowd.come(share, await server.port(), says)
    }
    if (says !== undefined) await crowd.joined()
    for (let n = 0; n < WARM_UP; n++) await crowd.round(MESSAGE, BATCH)
    const before = await cpu(servers)
    let deliveries = 0
    for (let n = 0; n < TIMES; n++) deliveries += await crowd.round(MESSAGE, BATCH)
    return ((await cpu(servers)) - before) / deliveries
  } finally {
    crowd.close()
    await Promise.all(servers.map(server => server.end()))
  }
}

/** KiB of memory of a member of a room that does nothing. */
async function idle(program: Start): Promise<number> {
  const server = start(program)
  const crowd = new Crowd()
  try {
    const port = await server.port()
    await crowd.come(100, port, JOIN)
    const before = await server.ask<Answer>('memory')
    await crowd.come(IDLE, port, JOIN)
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

async function compare(folder: string): Promise<void> {
  const store = await redis(folder)
  const one = { program: 'servers/rooms' }
  const shared = { program: 'servers/rooms', args: [store.url] }
  const rows: Record<string, () => Promise<number>> = {
    'plain loop with ws': () => sample([{ program: 'servers/ws-loop', args: [folder] }]),
    'sluice, one process': () => sample([one], JOIN),
    'sluice, three processes by Redis': () => sample([shared, shared, shared], JOIN),
  }
  const times = new Map(Object.keys(rows).map(row => [row, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++)
    for (const [row, run] of Object.entries(rows)) times.get(row)!.push(await run())
  store.end()
  const medians = [...times.values()].map(median) as [number, number, number]
  const [ws, own, three] = medians
  for (const [n, row] of [...times.keys()].entries())
    console.log(`${row.padEnd(34)} ${medians[n]!.toFixed(3)} µs of CPU time a delivery`)
  console.log(`times as good as the loop with ws  ${(ws / own).toFixed(2)}`)
  console.log(`three processes, times one         ${(three / own).toFixed(2)}`)
}

process.once('SIGINT', () => {
  endAll()
  process.exit(130)
})

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-rooms-'))
try {
  if (isPinned) spawnSync('taskset', ['-cp', String(CORES.generator), String(process.pid)])
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, 'ws']
  spawnSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] })
  console.log(`a room of ${MEMBERS}, ${BATCH} messages of ${MESSAGE.length} bytes at a time`)
  await compare(folder)
  const kib = await idle({ program: 'servers/rooms' })
  console.log(`memory of a member that is idle    ${kib.toFixed(2)} KiB`)
} finally {
  endAll()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
