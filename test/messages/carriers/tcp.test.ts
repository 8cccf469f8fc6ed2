import t from 'tap'
import { TcpClient } from '../../../src/messages/carriers/tcp-client.ts'
import { TcpServer } from '../../../src/messages/carriers/tcp-server.ts'
import { Tcp, TlsTcp, Unix } from '../../../src/messages/carriers/tcp.ts'
import type { Init } from '../../../src/messages/init.ts'
import { fault, params } from '../kit.ts'

t.test('which of the two', async t => {
  for (const each of [Tcp, TlsTcp, Unix]) {
    const choose = (text: string): unknown =>
      each.replace?.({ params: params(`${each.protocol}://${text}`) } as Init)
    t.equal(choose(''), TcpClient)
    t.equal(choose(';mode=client'), TcpClient)
    t.equal(choose(';mode=server'), TcpServer)
    t.match(
      fault(() => choose(';mode=both')),
      'mode must be one of client, server; got "both"',
    )
  }
})
