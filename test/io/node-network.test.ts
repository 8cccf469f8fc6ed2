/**
 * The network of the machine: each call makes the right object, and passes on what it was given.
 */

import t from 'tap'
import { NodeListener } from '../../src/io/listening/listener.ts'
import { NodeNetwork } from '../../src/io/node-network.ts'
import { TcpTransport } from '../../src/io/tcp.ts'
import type { Endpoint, PacketSocket } from '../../src/transport.ts'

const HERE: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 0 }

t.test('listens and connects', async t => {
  const network = new NodeNetwork()
  const listener = network.listen(HERE, { backlog: 5 })
  t.ok(listener instanceof NodeListener)
  const accepted = new Promise<void>(resolve => {
    listener.sink = {
      listening() {
        const transport = network.connect(
          { ...HERE, port: (listener.local_address as [string, number])[1] } as Endpoint,
          { local: { host: '127.0.0.2' } },
        )
        t.ok(transport instanceof TcpTransport)
        transport.sink = {
          opened() {
            t.equal((transport.local_address as [string, number])[0], '127.0.0.2')
            transport.destroy()
          },
          received() {},
          drained() {},
          ended() {},
          failed() {},
          closed: resolve,
        }
      },
      accepted: transport => transport.destroy(),
      failed: error => t.fail(error.message),
      closed() {},
    }
  })
  await accepted
  listener.close()
})

t.test('packets', async t => {
  const socket: PacketSocket = new NodeNetwork().packets({ bind: HERE })
  await new Promise<void>(resolve => {
    socket.sink = {
      opened: resolve,
      received() {},
      refused() {},
      failed: error => t.fail(error.message),
      closed() {},
    }
  })
  t.equal((socket.local_address as [string, number])[0], '127.0.0.1')
  socket.destroy()
})

t.test('knows how many descriptors there may be', async t => {
  t.ok(new NodeNetwork().file_limit > 2)
  t.type(new NodeNetwork().has_keep_alive_probes, 'boolean')
})
