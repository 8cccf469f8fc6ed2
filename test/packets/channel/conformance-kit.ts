/** A channel that keeps its promises, to be spoilt by tests, and the check of it. */

import { Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import {
  check_packet_channel,
  type ConformanceReport,
} from '../../../src/packets/channel/conformance.ts'
import type { ConformanceFixture } from '../../../src/packets/channel/conformance-probe.ts'
import { PacketChannel } from '../../../src/packets/channel/packet-channel.ts'
import { Packet, type PacketDict } from '../../../src/packets/packet.ts'

const clock = new ManualClock()
export const engine = new Engine({ clock })

/** A millisecond is a turn of the loop: a machine that stands still meanwhile costs no time. */
export async function turning<Value>(promise: Promise<Value>): Promise<Value> {
  let isOver = false
  const turn = (): void => {
    clock.advance(1)
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  return promise.finally(() => (isOver = true))
}

export function check(fixture: ConformanceFixture): Promise<ConformanceReport> {
  return turning(check_packet_channel(fixture))
}

/** A server in memory, and a channel to it that is as it should be, but for `Fault`. */
export function world() {
  const packets: PacketDict[] = []
  const channels = new Set<Good>()
  let isThere = true
  class Good extends PacketChannel {
    state: 'new' | 'connecting' | 'alive' | 'closed' = 'new'
    open(): void {
      this.state = 'connecting'
      setImmediate(() => this.connect())
    }
    connect(): void {
      if (this.state !== 'connecting') return
      if (!isThere) return void clock.after(2, () => this.connect())
      this.state = 'alive'
      channels.add(this)
      this.on_channel_open(this.channel_id)
    }
    is_alive(): boolean {
      return this.state === 'alive'
    }
    is_closed(): boolean {
      return this.state === 'closed'
    }
    send(packet: Packet): boolean {
      if (!this.is_alive()) return false
      try {
        const text = packet.to_text()
        setImmediate(() => packets.push(JSON.parse(text)))
        return true
      } catch {
        return false
      }
    }
    close(): void {
      this.state = 'closed'
      channels.delete(this)
    }
    heard(dict: PacketDict): void {
      setImmediate(() => {
        if (this.is_alive()) this.on_message(this.channel_id, Packet.from_dict(dict))
      })
    }
    dropped(): void {
      this.state = 'connecting'
      setImmediate(() => this.connect())
    }
    giveUp(): void {
      this.close()
      this.on_catastrophic_disconnect(this.channel_id, new Error('no hope'))
    }
  }
  class Hopeless extends Good {
    override connect(): void {
      if (!this.is_closed()) this.giveUp()
    }
  }
  const fixture = (
    Channel: typeof Good = Good,
    Lost: typeof Good = Hopeless,
  ): ConformanceFixture => ({
    make: (opened, lost, message) => new Channel('mine', opened, lost, message),
    make_hopeless: (opened, lost, message) => new Lost('mine', opened, lost, message),
    received: () => packets,
    push: dict => {
      for (const channel of channels) channel.heard(dict)
    },
    drop: () => {
      isThere = false
      for (const channel of channels) channel.dropped()
      channels.clear()
    },
    restore: () => void (isThere = true),
    engine,
    timeout: 60,
    quiet: 5,
  })
  return { Good, Hopeless, fixture }
}
