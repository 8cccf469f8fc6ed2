/** The same data for all connections of a server. */

import { Buffer } from 'node:buffer'
import t, { type Test } from 'tap'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import { Engine } from '../../../src/engine.ts'
import type { Encoding } from '../../../src/types.ts'

/** Tells who waits for it. */
class Member extends Connection {
  override on_connect(): void {
    expected.shift()?.(this)
  }
}

const expected: ((member: Member) => void)[] = []

/** The next connection that is open. */
const next = (): Promise<Member> => new Promise(resolve => expected.push(resolve))

/** A server with members, and what their peers have received. */
async function room(t: Test, encodings: readonly Encoding[] = ['utf8', 'utf8', 'latin1']) {
  const engine = new Engine({ log: () => {} })
  void engine.start()
  t.teardown(() => engine.stop())
  const server = await new Server(Member, { engine }).listen(['127.0.0.1', 0]).opened
  const heard: string[] = []
  const peers: Client[] = []
  for (const [i, encoding] of encodings.entries()) {
    const peer = new Client({ engine, encoding: 'latin1' })
    heard.push('')
    peer.on_read = text => (heard[i] += text)
    const opened = next()
    peers.push(await peer.connect(server.local_address!).opened)
    ;(await opened).encoding = encoding
  }
  const members = [...server.channels] as Member[]
  /** Everything that was written has come: each peer has heard the end. */
  const settled = async (): Promise<void> => {
    for (const member of members) if (member.connected) member.end()
    await Promise.all(peers.map(peer => peer.closed))
  }
  return { server, members, peers, heard, settled }
}

t.test('every connection gets it, in its encoding, in its place among the writes', async t => {
  const { server, members, heard, settled } = await room(t)
  members[0]!.write('before,')
  t.equal(server.broadcast('é,'), 3)
  members[0]!.write('after,')
  const bytes = Buffer.from('bytes,')
  t.equal(server.broadcast(bytes), 3)
  members[1]!.write('more,')
  server.broadcast('')
  server.broadcast('end')
  await settled()
  t.same(heard, ['before,Ã©,after,bytes,end', 'Ã©,bytes,more,end', 'é,bytes,end'])
  t.equal(String(bytes), 'bytes,', 'the bytes that all share are not changed')
})

t.test('a connection without an encoding gets text in UTF-8; one that changes, too', async t => {
  const { server, members, heard, settled } = await room(t, ['utf8', 'latin1'])
  members[0]!.encoding = null
  members[1]!.encoding = null
  members[0]!.write = data => {
    members[1]!.encoding = 'latin1'
    return Connection.prototype.write.call(members[0], data)
  }
  t.equal(server.broadcast('é'), 2)
  await settled()
  t.same(heard, ['Ã©', 'é'])
})

t.test('except one, or several', async t => {
  const { server, members, heard, settled } = await room(t)
  t.equal(server.broadcast('a', { except: members[0]! }), 2)
  t.equal(server.broadcast('b', { except: members.slice(1) }), 1)
  t.equal(server.broadcast('c', { except: new Set(members) }), 0)
  t.equal(server.broadcast('d', { except: new Client() }), 3, 'one of another server')
  t.equal(server.broadcast('e', { except: undefined }), 3, 'none')
  await settled()
  t.same(heard, ['bde', 'ade', 'ade'])
})

// It was counted among those that got the message, though its write was dropped.
t.test('a connection whose side has ended gets nothing', async t => {
  const { server, members, heard, settled } = await room(t)
  members[0]!.half_close()
  t.equal(server.broadcast('x'), 2)
  await settled()
  t.same(heard, ['', 'x', 'x'])
})

t.test('a connection that is closing gets nothing', async t => {
  const { server, members, heard, settled } = await room(t)
  members[0]!.end()
  t.equal(server.broadcast('x'), 2)
  members[1]!.close()
  t.equal(server.broadcast('y'), 1)
  await settled()
  t.same(heard, ['', '', 'xy'])
  t.equal(server.broadcast('z'), 0)
  t.equal(new Server(Member).broadcast('z'), 0, 'it does not listen')
})

t.test('a peer that does not read has its own bound', async t => {
  const { server, members, peers, settled } = await room(t)
  const slow = members[0]!
  const told: string[] = []
  slow.on_overflow_error = error => {
    told.push((error as { code?: string }).code ?? '')
    slow.close()
  }
  slow.send_buffer_size = 100_000
  peers[0]!.suspend()
  const part = Buffer.alloc(65_536)
  const counts = new Set<number>()
  while (told.length === 0) {
    counts.add(server.broadcast(part))
    await new Promise(resolve => setImmediate(resolve))
  }
  t.same([told, slow.connected, [...counts]], [['ERR_OVERFLOW'], false, [3]])
  t.equal(server.broadcast('x'), 2, 'the others go on')
  peers[0]!.resume()
  await settled()
})

t.test('bad input: an error, and nothing was written', async t => {
  const { server, heard, settled } = await room(t, ['utf8', 'hex'])
  const rows: [unknown[], RegExp][] = [
    [[], /broadcast: data must be a string or a Uint8Array; got undefined/],
    [[5], /broadcast: data must be a string/],
    [['0a\n'], /broadcast: data must be text in hex/],
    [['0a', { exept: [] }], /broadcast: there is no option "exept";/],
    [['0a', { except: 5 }], /broadcast: except must be a connection, or several; got 5/],
    [['0a', { except: {} }], /broadcast: except must be/],
    [['0a', { except: null }], /broadcast: except must be/],
    [['0a', null], /broadcast: options must be/],
  ]
  for (const [args, message] of rows)
    t.throws(() => Reflect.apply(server.broadcast, server, args), {
      code: 'ERR_INVALID_ARGUMENT',
      message,
    })
  server.broadcast('0a')
  await settled()
  t.same(heard, ['0a', '\n'])
})
