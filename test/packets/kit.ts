/** What the tests of packets share. */

import { PacketChannel } from '../../src/packets/channel/packet-channel.ts'
import { Packet, type PacketDict } from '../../src/packets/packet.ts'
import type { PacketAgent } from '../../src/packets/packet-agent.ts'
import type { Run } from '../../src/packets/supervisor/job.ts'

/** A channel that a test moves by hand, and that keeps what it is sent. */
export class FakeChannel extends PacketChannel {
  readonly sent: Packet[] = []
  alive = false
  closed = false
  /** Takes so many packets more. */
  room = Infinity
  opens = 0

  constructor(
    channel_id = 'fake',
    opened: (id: string) => void = () => {},
    lost: (id: string, error?: Error) => void = () => {},
    message: (id: string, packet: Packet) => void = () => {},
  ) {
    super(channel_id, opened, lost, message)
  }

  override open(): void {
    this.opens++
  }

  /** A connection stands. */
  connect(): void {
    this.alive = true
    this.on_channel_open(this.channel_id)
  }

  override is_alive(): boolean {
    return this.alive
  }

  override close(): void {
    this.alive = false
    this.closed = true
  }

  override is_closed(): boolean {
    return this.closed
  }

  override send(packet: Packet): boolean {
    if (!this.alive || this.room === 0) return false
    this.room--
    this.sent.push(packet)
    return true
  }

  /** What was sent since the last call, in short. */
  take(): string[] {
    return this.sent.splice(0).map(brief)
  }
}

/** `agent_action ann→mephisto {"n":1} s#1` */
export function brief(packet: Packet): string {
  const { type, sender_id, receiver_id, subject_id, data, place } = packet
  const who = subject_id ?? `${sender_id}→${receiver_id}`
  const at = place === undefined ? '' : ` ${place.stream}#${place.number}`
  const text = JSON.stringify(data)
  return `${type} ${who}${text === '{}' ? '' : ` ${text}`}${at}`
}

/** A packet from an agent to the supervisor. */
export function act(n: number, sender_id = 'ann'): Packet {
  return new Packet({ packet_type: 'act', sender_id, receiver_id: 'mephisto', data: { n } })
}

/** A packet from the supervisor to an agent. */
export function tell(n: number, receiver_id = 'ann'): Packet {
  return new Packet({ packet_type: 'tell', sender_id: 'mephisto', receiver_id, data: { n } })
}

/** The numbers in packets. */
export function numbersOf(packets: readonly (Packet | PacketDict)[]): number[] {
  return packets.map(({ data }) => (data as { n: number }).n)
}

/** 0, 1, 2 … */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Each agent sends a packet of the type act, and gets one of the type tell, for each number. */
export function sendBothWays(
  run: Run,
  agents: readonly PacketAgent[],
  end: number,
  start = 0,
): void {
  for (let n = start; n < end; n++)
    for (const agent of agents) {
      agent.send('act', { n })
      run.send({
        packet_type: 'tell',
        sender_id: 'mephisto',
        receiver_id: agent.agent_id,
        data: { n },
      })
    }
}
