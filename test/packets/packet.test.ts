import t from 'tap'
import { fromOf, Packet, toOf, toPacket } from '../../src/packets/packet.ts'

const OLD = { packet_type: 'act', sender_id: 'ann', receiver_id: 'mephisto', data: { n: 1 } }
const NEW = {
  packet_type: 'act',
  subject_id: 'ann',
  data: { n: 1 },
  client_timestamp: 1.5,
  router_incoming_timestamp: null,
  router_outgoing_timestamp: null,
  server_timestamp: 2,
}

t.test('2020', async t => {
  const packet = Packet.from_dict(OLD)
  t.match(packet, { type: 'act', sender_id: 'ann', receiver_id: 'mephisto', data: { n: 1 } })
  t.strictSame(
    [packet.subject_id, packet.timestamps, packet.place],
    [undefined, undefined, undefined],
  )
  t.strictSame(packet.to_sendable_dict(), OLD)
  t.equal(packet.to_text(), JSON.stringify(OLD))
  t.equal(packet.to_text(), packet.to_text())
  const wide = packet.copy({ sender_id: 'änn' })
  t.equal(wide.size, packet.size + 1, 'in UTF-8')
  t.equal(wide.size, wide.size)
  t.equal(String(packet), 'packet act from ann to mephisto')
  t.strictSame([fromOf(packet), toOf(packet)], ['ann', 'mephisto'])
})

t.test('today', async t => {
  const packet = Packet.from_text(JSON.stringify({ ...NEW, more: 'is ignored' }))
  t.strictSame(packet.to_sendable_dict(), NEW)
  t.equal(String(packet), 'packet act of ann')
  t.strictSame([fromOf(packet), toOf(packet)], ['ann', 'ann'])
  t.strictSame([packet.sender_id, packet.receiver_id], [undefined, undefined])
  t.equal(
    Packet.from_dict({ packet_type: 'a', subject_id: 'b', data: {} }).timestamps?.server_timestamp,
    null,
    'what has arrived without a time has none',
  )
})

t.test('one that a program makes', async t => {
  t.strictSame(new Packet({ packet_type: 'a', sender_id: 'b', receiver_id: 'c' }).data, {})
  t.strictSame(
    new Packet({ packet_type: 'a', sender_id: 'b', receiver_id: 'c', data: null }).data,
    {},
  )
  const before = Date.now() / 1000
  const { timestamps } = new Packet({ packet_type: 'a', subject_id: 'b' })
  t.ok(timestamps!.server_timestamp! >= before)
  t.equal(timestamps!.client_timestamp, null)
  t.equal(
    new Packet({ packet_type: 'a', subject_id: 'b', server_timestamp: null }).timestamps!
      .server_timestamp,
    null,
  )
  t.throws(() => new Packet({ ...OLD, reciever_id: 'x' } as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /no option "reciever_id"; did you mean receiver_id\?/,
  })
})

t.test('each fault names its field, the first one', async t => {
  const cases: [object | unknown, field: string, message: RegExp][] = [
    [undefined, '', /must be an object; got undefined/],
    [[], '', /must be an object/],
    ['text', '', /must be an object/],
    [{}, 'packet_type', /the field packet_type is missing/],
    [{ ...OLD, packet_type: 5 }, 'packet_type', /text of 1 to 256 characters; got 5/],
    [{ ...OLD, packet_type: '' }, 'packet_type', /text of 1 to 256/],
    [{ ...OLD, packet_type: 'x'.repeat(257) }, 'packet_type', /text of 1 to 256/],
    [{ packet_type: 'a' }, 'sender_id', /sender_id is missing/],
    [{ ...OLD, receiver_id: undefined }, 'receiver_id', /receiver_id is missing/],
    [{ ...OLD, receiver_id: null }, 'receiver_id', /receiver_id must be a text/],
    [{ ...OLD, data: undefined }, 'data', /the field data is missing/],
    [{ ...OLD, data: [] }, 'data', /data must be an object/],
    [{ ...OLD, data: 'x' }, 'data', /data must be an object; got "x"/],
    [{ ...OLD, subject_id: 'x' }, 'subject_id', /left out of a packet with sender_id/],
    [{ packet_type: 'a', subject_id: 7, data: {} }, 'subject_id', /subject_id must be a text/],
    [{ ...NEW, client_timestamp: 'noon' }, 'client_timestamp', /number of seconds, or null/],
    [{ ...NEW, server_timestamp: NaN }, 'server_timestamp', /number of seconds/],
    [{ ...OLD, number: 1 }, 'stream', /stream must be a text/],
    [{ ...OLD, stream: '' }, 'stream', /stream must be a text/],
    [{ ...OLD, stream: 's' }, 'number', /number must be 1 or more/],
    [{ ...OLD, stream: 's', number: 0 }, 'number', /number must be 1 or more; got 0/],
    [{ ...OLD, stream: 's', number: 1.5 }, 'number', /number must be 1 or more/],
  ]
  for (const [dict, field, message] of cases)
    t.throws(() => Packet.from_dict(dict), { code: 'ERR_PACKET', field, message })
  t.throws(() => Packet.from_text('{'), { code: 'ERR_PACKET', field: '', message: /no JSON/ })
  t.strictSame(Packet.from_dict({ ...OLD, data: null }).data, {})
})

t.test('a place', async t => {
  const packet = Packet.from_dict({ ...OLD, stream: 's', number: 7 })
  t.strictSame(packet.place, { stream: 's', number: 7 })
  t.strictSame(packet.to_sendable_dict(), { ...OLD, stream: 's', number: 7 })
  t.strictSame(packet.at(undefined).to_sendable_dict(), OLD)
  t.strictSame(packet.at({ stream: 't', number: 1 }).place, { stream: 't', number: 1 })
  t.strictSame(
    Packet.from_dict({ ...NEW, stream: 's', number: 7 })
      .at(undefined)
      .to_sendable_dict(),
    NEW,
  )
})

t.test('a copy has data of its own', async t => {
  const packet = new Packet({ ...OLD, data: { list: [1] } })
  const copy = packet.copy()
  copy.data.list.push(2)
  t.strictSame([packet.data, copy.data], [{ list: [1] }, { list: [1, 2] }])
  t.strictSame(packet.copy({ receiver_id: 'bob' }).to_sendable_dict(), {
    ...OLD,
    receiver_id: 'bob',
    data: { list: [1] },
  })
  t.equal(packet.at({ stream: 's', number: 1 }).copy().place, undefined)
  t.throws(() => packet.copy({ receiver_id: 5 } as never), { code: 'ERR_PACKET' })
})

t.test('data that is no JSON', async t => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const data of [circle, { big: 1n }])
    t.throws(() => new Packet({ ...OLD, data }).to_text(), { code: 'ERR_PACKET', field: 'data' })
})

t.test('a packet, or its fields', async t => {
  const packet = new Packet(OLD)
  t.equal(toPacket(packet), packet)
  t.strictSame(toPacket(OLD).to_sendable_dict(), OLD)
})
