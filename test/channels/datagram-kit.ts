/** A Datagram that notes every hook, over the memory network, with a clock that stands. */

import type { Test } from 'tap'
import { Datagram, type DatagramOptions } from '../../src/channels/datagrams/datagram.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import type { PacketOptions, PacketSocket } from '../../src/transport.ts'

/** Notes every hook; `then` says what a hook does besides. */
export class Probe extends Datagram {
  readonly told: unknown[][] = []
  then: Record<string, (...args: any[]) => unknown> = {}

  #tell(hook: string, ...args: unknown[]): any {
    this.told.push([hook, ...args])
    return this.then[hook]?.(...args)
  }

  /** What was told of these hooks since it was last asked. */
  take(...hooks: string[]): unknown[] {
    const taken = this.told.filter(([hook]) => hooks.includes(hook as string))
    this.told.splice(0)
    return taken.map(each =>
      hooks.length === 1 ? (each.length === 2 ? each[1] : each.slice(1)) : each,
    )
  }

  get port(): number {
    return (this.local_address as [string, number])[1]
  }

  override on_listen() {
    return this.#tell('on_listen')
  }
  override on_connect() {
    return this.#tell('on_connect')
  }
  override on_read(...data: any[]) {
    return this.#tell(
      'on_read',
      ...data.slice(0, -1).map(each => (each instanceof Buffer ? String(each) : each)),
      data.at(-1)[1],
    )
  }
  override on_write() {
    return this.#tell('on_write')
  }
  override on_close(reason: string) {
    return this.#tell('on_close', reason)
  }
  override on_drop(reason: string, from: any, bytes: number) {
    return this.#tell('on_drop', reason, from[1], bytes)
  }
  override on_listen_error(error: any) {
    return this.#tell('on_listen_error', error)
  }
  override on_connect_error(error: any) {
    return this.#tell('on_connect_error', error)
  }
  override on_read_error(error: any) {
    return this.#tell('on_read_error', error)
  }
  override on_write_error(error: any) {
    return this.#tell('on_write_error', error)
  }
  override on_overflow_error(error: any) {
    return this.#tell('on_overflow_error', error)
  }
  override on_error(error: any) {
    return this.#tell('on_error', error)
  }
}

/** A memory network whose packet sockets can be reached into. */
class Network extends MemoryNetwork {
  readonly opened: { socket: PacketSocket; options: PacketOptions }[] = []

  override packets(options: PacketOptions): PacketSocket {
    const socket = super.packets(options)
    this.opened.push({ socket, options })
    return socket
  }

  get socket(): PacketSocket {
    return this.opened.at(-1)!.socket
  }
}

export function world(t: Tap) {
  const network = new Network()
  const clock = new ManualClock()
  const logs: string[] = []
  const engine = new Engine({ network, clock, log: message => logs.push(message) })
  /** Lets everything happen that does not need time. */
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 2;) {
      await new Promise(resolve => setImmediate(resolve))
      clock.advance(0)
      quiet = network.pump() === 0 ? quiet + 1 : 0
    }
  }
  const open = async (options: DatagramOptions = {}): Promise<Probe> => {
    const probe = new Probe({ engine, ...options }).listen(0)
    await settle()
    probe.take()
    return probe
  }
  t.teardown(async () => {
    for (const channel of engine.channels) channel.close()
    await settle()
    if (engine.channels.size > 0 || clock.pending > 0)
      throw new Error('a channel or a timer is left')
  })
  return { network, clock, logs, engine, settle, open, peer: () => open() }
}

type Tap = Pick<Test, 'teardown'>

export function promise(): {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
} {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions))
  return { promise, resolve, reject }
}

export const at = (port: number): [string, number] => ['127.0.0.1', port]
