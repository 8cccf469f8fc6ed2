/** The suite for channels: a good one passes, and each rule bites. */

import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import {
  check_packet_channel,
  type ConformanceFixture,
  type ConformanceReport,
} from '../../../src/packets/channel/conformance.ts'
import { PacketChannel } from '../../../src/packets/channel/packet-channel.ts'
import { Packet, type PacketDict } from '../../../src/packets/packet.ts'

const clock = new ManualClock()
const engine = new Engine({ clock })

/** A millisecond is a turn of the loop: a machine that stands still meanwhile costs no time. */
async function check(fixture: ConformanceFixture): Promise<ConformanceReport> {
  let isOver = false
  const turn = (): void => {
    clock.advance(1)
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  return check_packet_channel(fixture).finally(() => (isOver = true))
}

/** A server in memory, and a channel to it that is as it should be, but for `Fault`. */
function world() {
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

t.test('a good channel', async t => {
  const { passed, failed, skipped } = await check(world().fixture())
  t.strictSame([passed.length, failed, skipped], [12, [], []])
})

t.test('what the fixture cannot do is skipped, and said', async t => {
  const { make } = world().fixture()
  const { passed, skipped } = await check({ make, engine })
  t.equal(passed.length, 7)
  t.match(skipped, [
    { why: 'there is no received' },
    { why: 'there is no push' },
    { why: 'there is no drop, restore' },
    { why: 'there is no push' },
    { why: 'there is no make_hopeless' },
  ])
})

t.test('each rule bites', async t => {
  type Kind = ReturnType<typeof world>
  const cases: [why: RegExp, (kind: Kind) => ConformanceFixture][] = [
    [
      /is_alive\(\) must be false before open/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override is_alive() {
              return true
            }
          },
        ),
    ],
    [
      /no callback may be called inside open/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override open() {
              this.state = 'connecting'
              this.connect()
            }
          },
        ),
    ],
    [
      /must not return a promise/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override async open() {
              super.open()
            }
          } as never,
        ),
    ],
    [
      /must become alive; it did not within 60 ms/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override connect() {}
          },
        ),
    ],
    [
      /must get the channel_id/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override connect() {
              this.state = 'alive'
              this.on_channel_open('another')
            }
          },
        ),
    ],
    [
      /each once, in order; got 1, 0|each once, in order/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override send(packet: Packet) {
              return super.send(packet) && super.send(packet)
            }
          },
        ),
    ],
    [
      /to_text|data must be JSON/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override send(packet: Packet) {
              return this.is_alive() && packet.to_text() !== ''
            }
          },
        ),
    ],
    [
      /is_alive\(\) must become false/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override dropped() {}
          },
        ),
    ],
    [
      /no callback may be called after close/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override close() {
              const was = this.state
              super.close()
              if (was === 'alive') queueMicrotask(() => this.on_channel_open(this.channel_id))
            }
          },
        ),
    ],
    [
      /on_message may not be called after close/,
      ({ Good, fixture }) =>
        fixture(
          class extends Good {
            override heard(dict: PacketDict) {
              setImmediate(() => this.on_message(this.channel_id, Packet.from_dict(dict)))
            }
          },
        ),
    ],
    [
      /on_catastrophic_disconnect must be called/,
      ({ Good, fixture }) =>
        fixture(
          Good,
          class extends Good {
            override connect() {}
          },
        ),
    ],
    [
      /no other callback may be called/,
      ({ Hopeless, fixture, Good }) =>
        fixture(
          Good,
          class extends Hopeless {
            override giveUp() {
              super.giveUp()
              queueMicrotask(() => this.on_channel_open('mine'))
            }
          },
        ),
    ],
    [
      /make\(\) must return a PacketChannel/,
      ({ fixture }) => ({
        ...fixture(),
        make: () =>
          ({
            close() {
              throw new Error('no')
            },
          }) as never,
      }),
    ],
  ]
  for (const [why, make] of cases) {
    const error = await check(make(world())).then(
      () => undefined,
      (error: Error) => error,
    )
    t.match(error, { name: 'ConformanceError', message: why }, String(why))
    t.ok((error as { report?: { failed: unknown[] } } | undefined)?.report!.failed.length! > 0)
  }
})

t.test('an invalid fixture', async t => {
  await t.rejects(check_packet_channel({} as never), { code: 'ERR_INVALID_ARGUMENT' })
  await t.rejects(check_packet_channel({ mkae: 5 } as never), { message: /did you mean make\?/ })
})
