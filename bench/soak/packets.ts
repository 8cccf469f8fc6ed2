/**
 * Bench. `npm run soak -- --packets`: a router, a supervisor and agents, each in a process of its
 * own, which are killed, paused and started again at random moments. Nothing may be lost, doubled
 * or out of order: the processes look at that themselves, see packet-parts.ts. With a relay there
 * are two routers, and its server is treated in the same way.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { Child } from '../processes.ts'
import type { Finished } from './packet-parts.ts'
import type { Random } from './peers.ts'

export const RELAYS = ['redis', 'nats'] as const
export type RelayName = (typeof RELAYS)[number]

export interface PacketSoak {
  readonly minutes: number
  readonly relay: RelayName | undefined
  /** A whole number below its argument. */
  readonly random: Random
}

/** One thing that is killed and paused. */
interface Victim {
  readonly name: string
  /** Milliseconds from one blow to the next, on average. */
  readonly every: number
  /** Why it has ended, if it has. */
  whyEnded(): Promise<string | undefined>
  signal(signal: NodeJS.Signals): void
  kill(): Promise<void>
  start(): Promise<void>
}

/** A router is what must not matter. An end that is killed forgets. */
const EVERY = { router: 4000, supervisor: 30_000, agents: 20_000, relay: 30_000 }

/** Milliseconds that something is gone or paused, at most. */
const AWAY = 2000
const PAUSE = 4000

/** One pause in so many is longer than any heartbeat. */
const LONG_PAUSE = 40_000
const LONG_ONE_IN = 25

/** Milliseconds that the last packets may take, and a router whose relay is away. */
const PATIENCE = 120_000

let lives = 0

/** A process of packet-parts.ts. */
class Part implements Victim {
  readonly name: string
  readonly every: number
  readonly #args: () => string[]
  child!: Child
  /** Where a router listens. */
  port = 0

  constructor(name: string, every: number, args: () => string[]) {
    this.name = name
    this.every = every
    this.#args = args
  }

  async start(): Promise<void> {
    const [url = '', ...more] = this.#args()
    const args = [this.name.replace(/ .*/, ''), String(++lives), url, ...more]
    this.child = new Child(this.name, { program: 'soak/packet-parts', args })
    if (url.endsWith('mode=server')) this.port = await this.child.port(PATIENCE)
  }

  whyEnded(): Promise<string | undefined> {
    return this.child.whyEnded()
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal)
  }

  kill(): Promise<void> {
    return this.child.end()
  }
}

/** The server of a relay. */
class RelayServer implements Victim {
  readonly name: string
  readonly every = EVERY.relay
  readonly #argv: readonly string[]
  readonly #ready: RegExp
  #process: ChildProcess | undefined

  constructor(name: RelayName, port: number, folder: string) {
    this.name = `the server of ${name}`
    const isRedis = name === 'redis'
    this.#ready = isRedis ? /eady to accept/ : /Server is ready/
    this.#argv = isRedis
      ? ['redis-server', '--port', `${port}`, '--save', '', '--dir', folder]
      : ['nats-server', '-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', folder]
  }

  async start(): Promise<void> {
    const [command, ...args] = this.#argv as [string, ...string[]]
    // Debian has nats-server in /usr/sbin.
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      let said = ''
      const hear = (text: Buffer): void => {
        said = (said + text).slice(-4000)
        if (this.#ready.test(said)) resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.on('error', reject)
      child.on('exit', () => reject(new Error(`${this.name} ended: ${said}`)))
    })
  }

  async whyEnded(): Promise<string | undefined> {
    const { exitCode = null } = this.#process ?? {}
    return exitCode === null ? undefined : `${this.name} ended with ${exitCode}`
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}

/** Strikes a victim again and again, until the time is over. Afterwards it works. */
async function strike(
  victim: Victim,
  { random }: PacketSoak,
  over: AbortSignal,
  blows: Map<string, number>,
): Promise<void> {
  const rest = (ms: number): Promise<void> =>
    wait(ms, undefined, { signal: over }).catch(() => undefined)
  for (;;) {
    await rest(random(2 * victim.every))
    if (over.aborted) return
    const why = await victim.whyEnded()
    if (why !== undefined) throw new Error(why)
    const isKilled = random(2) === 0
    const blow = `${victim.name} ${isKilled ? 'killed' : 'paused'}`
    blows.set(blow, (blows.get(blow) ?? 0) + 1)
    if (isKilled) {
      await victim.kill()
      await rest(random(AWAY))
      await victim.start()
    } else {
      victim.signal('SIGSTOP')
      await rest(random(random(LONG_ONE_IN) === 0 ? LONG_PAUSE : PAUSE))
      victim.signal('SIGCONT')
    }
  }
}

async function relayServer(name: RelayName, folder: string) {
  const port = await freePort()
  const url = `${name}://127.0.0.1:${port}`
  return { url, server: new RelayServer(name, port, folder) }
}

/** Resolves with what is wrong; empty if all is well. */
export async function soakPackets(given: PacketSoak): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
  const relay = given.relay && (await relayServer(given.relay, folder))
  const routers = Array.from({ length: relay === undefined ? 1 : 2 }, (_, n) => {
    const part: Part = new Part(`router ${n}`, EVERY.router, () => [
      `ws://127.0.0.1:${part.port}/socket;mode=server`,
      ...(relay === undefined ? [] : [relay.url]),
    ])
    return part
  })
  const at = (n: number) => (): string[] => [
    `ws://127.0.0.1:${routers[n % routers.length]!.port}/socket`,
  ]
  const agents = ['a', 'b'].map((name, n) => new Part(`agents-${name}`, EVERY.agents, at(n)))
  const supervisor = new Part('supervisor', EVERY.supervisor, at(0))
  const parts = [...routers, supervisor, ...agents]
  const victims: Victim[] = [...(relay === undefined ? [] : [relay.server]), ...parts]
  const blows = new Map<string, number>()
  try {
    for (const victim of victims) await victim.start()
    const over = AbortSignal.timeout(given.minutes * 60_000)
    await Promise.all(victims.map(victim => strike(victim, given, over, blows)))
    const all = await Promise.all(
      agents.map(({ child }) => child.ask<Finished>('finish', PATIENCE)),
    )
    for (const [blow, count] of [...blows].sort()) console.log(`${blow}: ${count} times`)
    for (const { sent, answered } of all)
      console.log(`agents since their last start: ${sent} packets sent, ${answered} answers`)
    const ended = await Promise.all(victims.map(victim => victim.whyEnded()))
    return ended.filter(why => why !== undefined)
  } catch (error) {
    return [(error as Error).message]
  } finally {
    await Promise.all(victims.map(victim => victim.kill()))
    rmSync(folder, { recursive: true, force: true })
  }
}
