/**
 * Layer 9. The promises of PacketChannel, each with the check that holds a channel to it.
 *
 * A check has a Probe of its own. It breaks off (`must`, `until`) when the channel breaks the
 * promise.
 */

import type { Complete } from '../../core/option-types.ts'
import { Packet, type PacketDict } from '../packet.ts'
import { type ConformanceFixture, must, type Probe } from './conformance-probe.ts'

/** A packet with that number. */
const packet = (n: number): Packet =>
  new Packet({
    packet_type: 'agent_action',
    sender_id: 'mephisto',
    receiver_id: 'conformance',
    data: { n },
  })

/** What a check needs of the fixture, besides `make`. */
export type Need = 'make_hopeless' | 'received' | 'push' | 'drop' | 'restore'

/** Throws if the channel breaks the promise. */
export type PromiseCheck = (probe: Probe, fixture: Complete<ConformanceFixture>) => Promise<void>

/** A promise, what its check needs, and the check. */
type Rule = readonly [rule: string, needs: readonly Need[], check: PromiseCheck]

/** How many packets are sent to see their order. */
const MANY = 100

// prettier-ignore
export const RULES: readonly Rule[] = [
  ['a new channel is neither alive nor closed, and sends nothing', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    must(!channel.is_alive(), 'is_alive() must be false before open()')
    must(!channel.is_closed(), 'is_closed() must be false before close()')
    must(channel.send(packet(0)) === false, 'send() before open() must return false')
    must(probe.calls === 0, 'no callback may be called before open()')
  }],
  ['open() returns at once, and calls nothing', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    must(channel.open() === undefined, 'open() must not return a promise')
    must(probe.calls === 0, 'no callback may be called inside open()')
  }],
  ['on_channel_open is called when it is alive', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    must(probe.wasAlive === true, 'is_alive() must be true inside on_channel_open')
    must(probe.opens[0] === channel.channel_id, 'on_channel_open must get the channel_id')
    must(probe.opens.length === 1, 'on_channel_open must be called once for each connection')
    must(!channel.is_closed(), 'is_closed() must be false while it is alive')
    must(probe.disconnects.length === 0, 'it is alive: there was no catastrophe')
  }],
  ['send() hands packets on, in order', ['received'], async (probe, { make, received }) => {
    const channel = await probe.open(make)
    const before = received().length
    for (let n = 0; n < MANY; n++)
      await probe.until(`send() must return true again`, () => channel.send(packet(n)) === true)
    const mine = (): unknown[] => numbers(received().slice(before))
    await probe.until(`${MANY} packets must arrive`, () => mine().length >= MANY)
    must(isInOrder(mine()), `each once, in order; got ${mine().slice(0, 10).join(', ')} …`)
  }],
  ['send() never throws', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const bad = packet(0).copy()
    Object.defineProperty(bad, 'data', { value: circle })
    must(channel.send(bad) === false, 'a packet that is no JSON: send() must return false')
  }],
  ['on_message gets packets, in order', ['push'], async (probe, { make, push }) => {
    const channel = await probe.open(make)
    for (let n = 0; n < MANY; n++) await push(packet(n).to_sendable_dict())
    await probe.until(`${MANY} packets must arrive`, () => probe.messages.length >= MANY)
    const [id, first] = probe.messages[0]!
    must(id === channel.channel_id, 'on_message must get the channel_id')
    must(first instanceof Packet, 'on_message must get a Packet')
    const got = probe.messages.map(([, { data }]) => (data as { n: unknown }).n)
    must(isInOrder(got), `each once, in order; got ${got.slice(0, 10).join(', ')} …`)
  }],
  ['a lost connection is not alive, and comes back', ['drop', 'restore'],
    async (probe, { make, drop, restore }) => {
      const channel = await probe.open(make)
      try {
        await drop()
        await probe.until('is_alive() must become false', () => !channel.is_alive())
        must(channel.send(packet(0)) === false, 'send() without a connection must return false')
        must(!channel.is_closed(), 'is_closed() must be false: it was not closed')
      } finally {
        await restore()
      }
      await probe.until('it must become alive again', () => channel.is_alive())
      await probe.until('on_channel_open must be called again', () => probe.opens.length > 1)
      must(probe.disconnects.length === 0, 'a connection that came back is no catastrophe')
    }],
  ['close() ends it for ever', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    const before = probe.calls
    channel.close()
    must(channel.is_closed(), 'is_closed() must be true after close()')
    must(!channel.is_alive(), 'is_alive() must be false after close()')
    must(channel.send(packet(0)) === false, 'send() after close() must return false')
    channel.close()
    await probe.quiet()
    must(probe.calls === before, 'no callback may be called after close()')
  }],
  ['nothing arrives after close()', ['push'], async (probe, { make, push }) => {
    const channel = await probe.open(make)
    for (let n = 0; n < MANY; n++) await push(packet(n).to_sendable_dict())
    channel.close()
    const before = probe.calls
    await probe.quiet()
    must(probe.calls === before, 'on_message may not be called after close()')
  }],
  ['close() may come before open()', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    channel.close()
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    await probe.quiet()
    must(probe.calls === 0, 'no callback may be called')
  }],
  ['close() may come while it connects', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    channel.open()
    channel.close()
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    await probe.quiet()
    must(probe.calls === 0, 'no callback may be called')
  }],
  ['one without hope gives up, once', ['make_hopeless'], async (probe, { make_hopeless }) => {
    const channel = await probe.make(make_hopeless)
    channel.open()
    await probe.until('on_catastrophic_disconnect must be called', () =>
      probe.disconnects.length > 0)
    must(probe.disconnects[0] === channel.channel_id, 'the callback must get the channel_id')
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    must(channel.send(packet(0)) === false, 'send() must return false')
    await probe.quiet()
    must(probe.calls === 1, 'no other callback may be called')
  }],
]

function numbers(dicts: readonly PacketDict[]): unknown[] {
  return dicts
    .filter(({ receiver_id }) => receiver_id === 'conformance')
    .map(({ data }) => (data as { n?: unknown }).n)
}

function isInOrder(values: readonly unknown[]): boolean {
  return values.length === MANY && values.every((value, n) => value === n)
}
