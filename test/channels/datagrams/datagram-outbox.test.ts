/** The outbox of a Datagram, with a socket that does what it is told. */

import t from 'tap'
import {
  DatagramOutbox,
  type DatagramOutboxOwner,
} from '../../../src/channels/datagrams/datagram-outbox.ts'
import { DRIVE, Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { Endpoint, PacketSocket, SystemError } from '../../../src/transport.ts'

type Done = (error: SystemError | null) => void

const TO: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 9 }

function setUp() {
  const clock = new ManualClock()
  const told: string[] = []
  const sent: { text: string; to: Endpoint | undefined; done: Done }[] = []
  const socket = {
    send: (data: Uint8Array, _encoding: string, to: Endpoint | undefined, done: Done) =>
      void sent.push({ text: String(data), to, done }),
  } as unknown as PacketSocket
  const owner: DatagramOutboxOwner = {
    emptied: () => void told.push('emptied'),
    sendFailed: (error: SystemError, to: Endpoint | undefined) =>
      void told.push(`${error.code} ${to === TO}`),
  }
  const outbox = new DatagramOutbox(new Engine({ clock })[DRIVE], owner)
  outbox.open(socket)
  const write = (text: string, to?: Endpoint, flush = false): void =>
    outbox.write(Buffer.from(text), to, flush)
  return { clock, told, sent, outbox, owner, write, socket }
}

t.test(
  'the packets of a turn go out together; emptied comes when the socket has taken the last',
  async t => {
    const { clock, told, sent, outbox, write } = setUp()
    write('one', TO)
    write('two')
    t.equal(sent.length, 0)
    t.same([outbox.packets, outbox.bytes, outbox.size], [2, 6, 6 + 2 * 28])
    clock.advance(0)
    t.same(
      sent.map(({ text, to }) => [text, to]),
      [
        ['one', TO],
        ['two', undefined],
      ],
    )
    sent[0]!.done(null)
    t.same(told, [])
    t.same([outbox.packets, outbox.bytes, outbox.packetsSent, outbox.bytesSent], [1, 3, 1, 3])
    sent[1]!.done(null)
    t.same(told, ['emptied'])
    t.same([outbox.size, outbox.packetsSent, outbox.bytesSent], [0, 2, 6])
    write('three')
    clock.advance(0)
    t.equal(sent.length, 3, 'the next turn takes what is written after the first')
  },
)

t.test('flush sends at once, with what was written before, in order', async t => {
  const { clock, sent, write } = setUp()
  write('a')
  write('', TO, true)
  t.same(
    sent.map(({ text }) => text),
    ['a', ''],
  )
  clock.advance(0)
  t.equal(sent.length, 2)
})

t.test('a failure is told with its address, and counts as gone, not as sent', async t => {
  const { told, sent, outbox, write } = setUp()
  write('x', TO, true)
  sent[0]!.done(Object.assign(new Error('no'), { code: 'EMSGSIZE' }))
  t.same(told, ['EMSGSIZE true', 'emptied'])
  t.same([outbox.size, outbox.packetsSent], [0, 0])
})

t.test('who is told of a failure may write more: then it is not empty', async t => {
  const { told, sent, owner, write } = setUp()
  owner.sendFailed = () => write('again', undefined, true)
  write('x', TO, true)
  sent[0]!.done(new Error('no'))
  t.same(told, [])
  sent[1]!.done(null)
  t.same(told, ['emptied'])
})

t.test('closing drops the queue, and what becomes of the rest counts no more', async t => {
  const { clock, told, sent, outbox, owner, write, socket } = setUp()
  write('sent', TO, true)
  write('queued')
  outbox.close()
  t.equal(outbox.size, 0)
  clock.advance(0)
  sent[0]!.done(null)
  t.same([told, sent.length, outbox.packetsSent], [[], 1, 0])

  outbox.open({ ...socket })
  owner.sendFailed = () => outbox.close()
  write('x', TO, true)
  sent[1]!.done(new Error('no'))
  t.same(told, [], 'closed inside: nothing was emptied')
})
