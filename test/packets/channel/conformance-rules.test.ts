/** Each rule for channels bites. */

import t from 'tap'
import type { ConformanceFixture } from '../../../src/packets/channel/conformance-probe.ts'
import { Packet, type PacketDict } from '../../../src/packets/packet.ts'
import { check, world } from './conformance-kit.ts'

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
