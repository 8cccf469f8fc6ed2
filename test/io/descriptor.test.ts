/** The descriptors of Node's sockets. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import t from 'tap'
import { descriptorOf, packetDescriptorOf } from '../../src/io/descriptor.ts'

t.test('of a server: while it listens', async t => {
  const server = createServer()
  t.equal(descriptorOf(server), undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.ok((descriptorOf(server) as number) > 2)
  server.close()
  t.equal(descriptorOf(server), undefined)
})

t.test('of a socket: none without a handle, and none where the handle has none', async t => {
  const socket = new Socket()
  t.equal(descriptorOf(socket), undefined)
  t.equal(descriptorOf({ _handle: { fd: -1 } } as unknown as Socket), undefined)
  t.equal(descriptorOf({ _handle: { fd: 5 } } as unknown as Socket), 5)
})

t.test('of a packet socket: while it is open', async t => {
  t.equal(packetDescriptorOf(undefined), undefined)
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.ok((packetDescriptorOf(socket) as number) > 2)
  socket.close()
  t.equal(packetDescriptorOf(socket), undefined)
  t.equal(packetDescriptorOf({} as never), undefined, 'a Node that has it elsewhere')
  t.equal(packetDescriptorOf({ fd: 5 } as never), 5, 'one that is not of node:dgram')
})
