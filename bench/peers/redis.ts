/**
 * Bench. `npm run peers:redis`: the client of Redis beside ioredis and node-redis, which are
 * installed in a temporary folder, against a real redis-server. Each sample is a new process; the
 * libraries take turns. It prints medians: the client's own CPU time for each operation.
 *
 * One command at a time is three system calls, whoever makes them. So a bare socket is measured
 * there as well, which sends bytes that were made before, and does not look at the replies: no
 * client can cost less on `node:net`.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, cpuUsage, execPath, exit, memoryUsage, resourceUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { Engine, FastNetwork } from 'sluice'
import { RedisClient } from 'sluice/redis'
import { freePort } from '../free-port.ts'

const PACKAGES = ['ioredis@6.0.0', 'redis@6.3.1']
const LIBRARIES = ['sluice', 'sluice on FastNetwork', 'ioredis', 'redis'] as const
type Library = (typeof LIBRARIES)[number] | 'socket'

const ROUNDS = 3

/** 100 bytes. */
const VALUE = 'v'.repeat(100)

/** 128 bytes. */
const MESSAGE = 'm'.repeat(128)

const LARGE = 100 * 1024 * 1024

/** What all three can do, whatever they call it. */
interface Peer {
  set(key: string, value: string | Buffer): Promise<unknown>
  get(key: string): Promise<unknown>
  get_bytes(key: string): Promise<Buffer>
  publish(channel: string, message: string): Promise<unknown>
  subscribe(channel: string, handler: (message: string) => void): Promise<unknown>
}

async function connect(library: Library, port: number, folder: string): Promise<Peer> {
  if (library === 'socket') return bare(port)
  const need = createRequire(join(folder, 'x.js'))
  const url = `redis://127.0.0.1:${port}`
  if (library === 'ioredis') {
    const [one, two] = [0, 1].map(() => new (need('ioredis').Redis)(port, '127.0.0.1'))
    return {
      set: (key, value) => one.set(key, value),
      get: key => one.get(key),
      get_bytes: key => one.getBuffer(key),
      publish: (channel, message) => one.publish(channel, message),
      async subscribe(channel, handler) {
        two.on('message', (_: string, message: string) => handler(message))
        await two.subscribe(channel)
      },
    }
  }
  if (library === 'redis') {
    const { createClient, RESP_TYPES } = need('redis')
    const [one, two] = [createClient({ url }), createClient({ url })]
    await Promise.all([one.connect(), two.connect()])
    const bytes = one.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    return {
      set: (key, value) => one.set(key, value),
      get: key => one.get(key),
      get_bytes: key => bytes.get(key),
      publish: (channel, message) => one.publish(channel, message),
      subscribe: (channel, handler) => two.subscribe(channel, handler),
    }
  }
  const engine =
    library === 'sluice' ? Engine.instance() : new Engine({ network: new FastNetwork() })
  const client = await new RedisClient({ engine }).connect(url).ready
  return {
    set: (key, value) => client.set(key, value),
    get: key => client.get(key),
    get_bytes: key => client.with({ encoding: null }).get(key) as Promise<Buffer>,
    publish: (channel, message) => client.publish(channel, message),
    subscribe: (channel, handler) => client.subscribe(channel, handler),
  }
}

/** One command at a time, as bytes. A reply that came in two pieces would end two commands. */
async function bare(port: number): Promise<Peer> {
  const set = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${VALUE.length}\r\n${VALUE}\r\n`
  const socket = dial(port, '127.0.0.1').setNoDelay(true)
  let told = (): void => {}
  socket.on('data', () => told())
  const send = (bytes: string, reply: unknown): Promise<unknown> => {
    socket.write(bytes, 'latin1')
    return new Promise(resolve => (told = () => resolve(reply)))
  }
  return {
    set: () => send(set, 'OK'),
    get: () => send('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', VALUE),
  } as unknown as Peer
}

/** Does its work `times` times; resolves with the operations that this was. */
type Work = (peer: Peer, times: number) => Promise<number>

const WORK: Readonly<Record<string, readonly [work: Work, times: number]>> = {
  'SET and GET of 100 bytes, 1 000 in flight': [pipelined, 150],
  'the same, one at a time': [oneByOne, 15_000],
  'subscribed: 128 bytes, published in hundreds': [subscribed, 1500],
  'GET of 100 MB': [large, 1],
}

async function pipelined(peer: Peer, times: number): Promise<number> {
  for (let n = 0; n < times; n++) {
    const all: Promise<unknown>[] = []
    for (let i = 0; i < 500; i++) all.push(peer.set(`k${i}`, VALUE), peer.get(`k${i}`))
    if ((await Promise.all(all))[1] !== VALUE) throw new Error('a wrong value')
  }
  return 1000 * times
}

async function oneByOne(peer: Peer, times: number): Promise<number> {
  for (let n = 0; n < times; n++) {
    await peer.set('k', VALUE)
    if ((await peer.get('k')) !== VALUE) throw new Error('a wrong value')
  }
  return 2 * times
}

async function subscribed(peer: Peer, times: number): Promise<number> {
  let [left, done] = [0, (): void => {}]
  const channel = `c${Math.random()}`
  await peer.subscribe(channel, message => {
    if (message !== MESSAGE) throw new Error('a wrong message')
    if (--left === 0) done()
  })
  for (let n = 0; n < times; n++) {
    left = 100
    const all = new Promise<void>(resolve => (done = resolve))
    for (let i = 0; i < 100; i++) void peer.publish(channel, MESSAGE)
    await all
  }
  return 100 * times
}

async function large(peer: Peer, times: number): Promise<number> {
  for (let n = 0; n < times; n++)
    if ((await peer.get_bytes('large')).length !== LARGE) throw new Error('a wrong value')
  return times
}

/** One sample, in a process of its own: prints CPU µs for each operation, and growth / 100 MB. */
async function sample(library: Library, port: number, folder: string, row: string): Promise<void> {
  const peer = await connect(library, port, folder)
  const [work, times] = WORK[row]!
  if (work !== large) await work(peer, Math.ceil(times / 10))
  const before = memoryUsage.rss()
  const cpu = cpuUsage()
  const count = await work(peer, times)
  const { user, system } = cpuUsage(cpu)
  const growth = (resourceUsage().maxRSS * 1024 - before) / LARGE
  console.log(JSON.stringify([(user + system) / count, growth]))
  exit()
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

function run(library: Library, port: number, folder: string, row: string): [number, number] {
  const program = fileURLToPath(import.meta.url)
  const output = execFileSync(execPath, [program, library, String(port), folder, row])
  return JSON.parse(String(output)) as [number, number]
}

async function compare(port: number, folder: string): Promise<void> {
  const client = new RedisClient().connect(['127.0.0.1', port])
  await client.set('large', Buffer.alloc(LARGE, 'v'))
  client.close()
  for (const row of Object.keys(WORK)) {
    const libraries: Library[] = [...LIBRARIES]
    if (WORK[row]![0] === oneByOne) libraries.push('socket')
    const samples = libraries.map(() => [] as [number, number][])
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, library] of libraries.entries())
        samples[i]!.push(run(library, port, folder, row))
    const own = median(samples[0]!.map(([cpu]) => cpu))
    for (const [i, library] of libraries.entries()) {
      const cpu = median(samples[i]!.map(([each]) => each))
      const growth = median(samples[i]!.map(([, each]) => each))
      const memory = row.includes('MB') ? `, memory ${growth.toFixed(2)} x the value` : ''
      const ratio = i === 0 ? '' : `, sluice ${(cpu / own).toFixed(2)} x as good`
      console.log(`${row}: ${library} ${cpu.toFixed(2)} us CPU${ratio}${memory}`)
    }
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-peers-redis-'))
  let server: ChildProcess | undefined
  try {
    const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder]
    execFileSync('npm', [...install, ...PACKAGES], { stdio: 'ignore' })
    const port = await freePort()
    const options = ['--port', String(port), '--save', '', '--dir', folder]
    server = spawn('redis-server', options, { stdio: 'ignore' })
    await compare(port, folder)
  } finally {
    server?.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

const [library, port, folder, row] = argv.slice(2)
if (row === undefined) await main()
else await sample(library as Library, Number(port), folder!, row)
