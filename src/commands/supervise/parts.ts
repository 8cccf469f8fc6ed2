/**
 * Layer 10. The parts that `sluice-supervise` runs: a router, a supervisor, agents. Each opens,
 * says how it is doing, and closes.
 */

import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { noop } from '../../core/noop.ts'
import type { Engine } from '../../engine.ts'
import type { Context } from '../../messages/context.ts'
import { WebsocketChannel } from '../../packets/channel/websocket-channel.ts'
import type { ChannelStats } from '../../packets/lines/channel-stats.ts'
import type { Packet } from '../../packets/packet.ts'
import { PacketAgent } from '../../packets/packet-agent.ts'
import { PACKET_TYPES, SUPERVISOR_ID } from '../../packets/packet-types.ts'
import { PacketRouter } from '../../packets/router/router.ts'
import type { Run } from '../../packets/supervisor/job.ts'
import { Supervisor } from '../../packets/supervisor/supervisor.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { Say } from '../host.ts'
import type { Row } from './table.ts'

/** What a part needs. */
export interface Setting {
  /** Where the router listens; with port 0 only the router of this process knows it in the end. */
  url: string
  readonly context: Context
  readonly engine: Engine
  readonly say: Say
  readonly agents: number
  readonly rate: number
  readonly count: number
  readonly relay: string | undefined
  http(): HttpServer
}

export interface Part {
  /** Rejects if it cannot do its work. */
  open(): Promise<void>
  row(): Row
  /** Resolves when it has nothing more to do; true: all is well. */
  readonly done: Promise<boolean>
  /** Sends nothing new; resolves when what was sent has arrived, or has had its time. */
  rest(): Promise<void>
  close(): Promise<void>
}

const NEVER = new Promise<boolean>(() => {})

/** How long what was sent may take to arrive. */
const REST_TIMEOUT: Milliseconds = 5000

export class RouterPart implements Part {
  readonly done = NEVER
  readonly #setting: Setting
  readonly #router: PacketRouter
  #http: HttpServer | undefined

  constructor(setting: Setting) {
    this.#setting = setting
    this.#router = new PacketRouter({
      context: setting.context,
      relay: setting.relay,
      on_error: error => setting.say(error.message),
    })
  }

  async open(): Promise<void> {
    const { url } = this.#setting
    await this.#router.opened
    // host:port, in brackets if it is of IPv6.
    const [, host, port, path] = /^ws:\/\/(.+?):(\d+)(\/[^;]*)?$/.exec(url) ?? []
    if (host === undefined) this.#setting.url = await this.#router.listen(`${url};mode=server`)
    else {
      const chosen = await this.#listen(host.replace(/^\[|\]$/g, ''), Number(port), path ?? '/')
      this.#setting.url = url.replace(/:0(?=\/|$)/, `:${chosen}`)
    }
    this.#setting.say(`the router listens on ${this.#setting.url}`)
  }

  /** Returns the port. */
  async #listen(host: string, port: number, path: string): Promise<number> {
    const http = this.#setting.http()
    this.#http = http
    this.#router.attach(http, { path })
    await new Promise<void>((listening, fail) => {
      http.once('error', fail)
      http.listen(port, host, () => listening())
    })
    return (http.address() as AddressInfo).port
  }

  row(): Row {
    const { there, away, waiting, received, dropped } = this.#router.stats()
    const state = `${there} there, ${away} away`
    return { name: 'router', state, queued: waiting, sent: 0, received, lost: dropped, retries: 0 }
  }

  async rest(): Promise<void> {}

  async close(): Promise<void> {
    await this.#router.close()
    this.#http?.close()
    this.#http?.closeAllConnections()
  }
}

export class SupervisorPart implements Part {
  readonly #setting: Setting
  readonly #supervisor: Supervisor
  #run: Run | undefined
  #lost: (isWell: boolean) => void = noop
  readonly done = new Promise<boolean>(lost => (this.#lost = lost))

  constructor(setting: Setting) {
    this.#setting = setting
    const on_error = ({ message }: Error): void => setting.say(message)
    this.#supervisor = new Supervisor({ engine: setting.engine, on_error })
  }

  async open(): Promise<void> {
    const { url, context, say } = this.#setting
    this.#run = await this.#supervisor.register_job({
      architect: {
        get_channels: (...callbacks) => [
          new WebsocketChannel('supervisor', ...callbacks, url, {
            context,
            on_error: (_, { message }) => say(`supervisor: ${message}`),
          }),
        ],
      },
      handlers: { [PACKET_TYPES.AGENT_ACTION]: (packet, run) => this.#answer(packet, run) },
      on_suspend: (_, { message }) => {
        say(message)
        this.#lost(false)
      },
    })
  }

  async #answer({ sender_id, data }: Packet, run: Run): Promise<void> {
    const packet_type = PACKET_TYPES.REQUEST_ACT
    const fields = { packet_type, sender_id: SUPERVISOR_ID, receiver_id: sender_id!, data }
    // The next packet of this agent waits for room, too.
    await run.ready()
    run.send(fields)
  }

  row(): Row {
    const stats = this.#run?.stats() ?? []
    return { name: 'supervisor', state: this.#state(stats[0]), ...sumOf(stats) }
  }

  #state(stats: ChannelStats | undefined): string {
    if (stats === undefined) return 'opening'
    if (this.#run?.state !== 'active') return 'closed'
    return stats.is_alive ? `alive, ${stats.mode}` : 'not alive'
  }

  async rest(): Promise<void> {
    await this.#supervisor.shutdown({ timeout: REST_TIMEOUT })
  }

  async close(): Promise<void> {}
}

export class AgentsPart implements Part {
  readonly #setting: Setting
  #agents: readonly PacketAgent[] = []
  /** The number of the next answer of each agent. */
  readonly #next: number[]
  /** Answers that came twice, or after a gap. */
  #wrong = 0
  #unfinished: number
  #sent = 0
  #cancel: Cancel = noop
  #end: (isWell: boolean) => void = noop
  readonly done = new Promise<boolean>(end => (this.#end = end))

  constructor(setting: Setting) {
    const { agents } = setting
    this.#setting = setting
    this.#unfinished = agents
    this.#next = Array.from({ length: agents }, () => 0)
  }

  #make(): readonly PacketAgent[] {
    const { url, context, say } = this.#setting
    const on_error = ({ message }: Error): void => say(message)
    return this.#next.map(
      (_, index) =>
        new PacketAgent(`agent-${index + 1}`, url, {
          context,
          channel: { on_error: (id, { message }) => index === 0 && say(`${id}: ${message}`) },
          on_packet: packet => this.#answered(index, packet),
          on_error,
          on_lost: error => {
            on_error(error)
            this.#end(false)
          },
        }),
    )
  }

  async open(): Promise<void> {
    const { engine, rate } = this.#setting
    this.#agents = this.#make()
    for (const agent of this.#agents) agent.open()
    await Promise.all(this.#agents.map(({ opened }) => opened))
    this.#cancel = engine.cycle(1000 / rate, () => this.#act())
  }

  #act(): void {
    if (this.#sent < this.#setting.count) this.#actAll(this.#sent++)
  }

  #actAll(n: number): void {
    for (const agent of this.#agents) agent.send(PACKET_TYPES.AGENT_ACTION, { n })
  }

  #answered(index: number, { data }: Packet<{ n?: number }>): void {
    if (data.n !== this.#next[index]) this.#wrong++
    this.#next[index] = (data.n as number) + 1
    if (this.#next[index] !== this.#setting.count) return
    if (--this.#unfinished === 0) this.#end(this.#wrong === 0)
  }

  row(): Row {
    const stats = this.#agents.map(agent => agent.stats())
    const alive = stats.filter(({ is_alive }) => is_alive).length
    const sum = sumOf(stats)
    return {
      name: 'agents',
      state: `${alive} of ${this.#setting.agents} alive`,
      ...sum,
      lost: sum.lost + this.#wrong,
    }
  }

  async rest(): Promise<void> {
    this.#cancel()
    const idle = Promise.all(this.#agents.map(agent => agent.idle()))
    let cancel: Cancel = noop
    const late = new Promise<void>(go => (cancel = this.#setting.engine.defer(REST_TIMEOUT, go)))
    await Promise.race([idle, late])
    cancel()
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) agent.close()
  }
}

type Sum = Pick<Row, 'queued' | 'sent' | 'received' | 'lost' | 'retries'>

function sumOf(all: readonly ChannelStats[]): Sum {
  const sum = { queued: 0, sent: 0, received: 0, lost: 0, retries: 0 }
  for (const stats of all) {
    for (const name of Object.keys(sum) as (keyof Sum)[]) sum[name] += stats[name]
    // Each connection after the first one is a retry as well.
    sum.retries += Math.max(0, stats.opened - 1)
  }
  return sum
}
