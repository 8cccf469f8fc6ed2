import t from 'tap'
import { FileReader } from '../../src/messages/carriers/file-reader.ts'
import { FileWriter } from '../../src/messages/carriers/file-writer.ts'
import { MemPair } from '../../src/messages/carriers/mem-pair.ts'
import { MemServer } from '../../src/messages/carriers/mem-server.ts'
import { TcpClient } from '../../src/messages/carriers/tcp-client.ts'
import { TcpServer } from '../../src/messages/carriers/tcp-server.ts'
import { WsClient } from '../../src/messages/carriers/websocket/ws-client.ts'
import { WsServer } from '../../src/messages/carriers/websocket/ws-server.ts'
import type { Init } from '../../src/messages/init.ts'
import { PROTOCOLS } from '../../src/messages/protocols.ts'
import { fault, params, stage } from './kit.ts'

/** The class that a protocol chooses for a URL. */
function choose(protocol: string, rest: string): unknown {
  const init = { params: params(`${protocol}://${rest}`) } as Init
  return PROTOCOLS.find(each => each.protocol === protocol)?.replace?.(init)
}

t.test('every protocol has a different name', async t => {
  t.equal(new Set(PROTOCOLS.map(each => each.protocol)).size, PROTOCOLS.length)
})

t.test('file: the reader or the writer', async t => {
  const file = (rest: string): unknown => choose('file', rest)
  t.strictSame(['x', 'x;dir=r', 'x;dir=in'].map(file), Array(3).fill(FileReader))
  t.strictSame(['x;dir=w', 'x;dir=out'].map(file), Array(2).fill(FileWriter))
  t.match(
    fault(() => file('x;dir=rw')),
    'dir must be one of r, w, in, out; got "rw"',
  )
  t.equal(file(''), FileReader, 'the opening may give the name')
})

stage(t, 'mem: a pair or a server', async (t, { context }) => {
  t.ok(context.init('mem://') instanceof MemPair)
  t.ok(context.init('mem://;mode=client') instanceof MemPair)
  t.ok(context.init('mem://;mode=server') instanceof MemServer)
  t.match(
    fault(() => context.init('mem://;mode=x')),
    'mode must be one of client, server; got "x"',
  )
})

t.test('ws, wss: the client or the server', async t => {
  for (const protocol of ['ws', 'wss']) {
    t.equal(choose(protocol, 'a:1'), WsClient)
    t.equal(choose(protocol, 'a:1;mode=server'), WsServer)
  }
})

t.test('tcp, tls+tcp, unix: the client or the server', async t => {
  for (const protocol of ['tcp', 'tls+tcp', 'unix']) {
    t.equal(choose(protocol, ''), TcpClient)
    t.equal(choose(protocol, ';mode=client'), TcpClient)
    t.equal(choose(protocol, ';mode=server'), TcpServer)
    t.match(
      fault(() => choose(protocol, ';mode=both')),
      'mode must be one of client, server; got "both"',
    )
  }
})
