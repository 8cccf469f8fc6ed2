/**
 * The fast network: what it makes, and that it refuses a Node that lacks something. The conformance
 * suite and the scenarios hold it to the seam.
 */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { handleOf, type ListeningHandle } from '../../../src/io/fast/handles.ts'
import { FastNetwork } from '../../../src/io/fast/network.ts'
import { FastTransport } from '../../../src/io/fast/transport.ts'
import type { PacketSocket } from '../../../src/transport.ts'
import { until } from '../../kit.ts'
import { FakeHandle, listen, LOOPBACK, pair } from './kit.ts'

t.test('connects and listens, over tcp and unix', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const at of [LOOPBACK, { kind: 'unix', path: join(folder, 'socket') }] as const) {
    const [near, far] = await pair(t, at)
    for (const { transport } of [near, far]) t.ok(transport instanceof FastTransport)
    t.same(near.transport.remote_address, far.transport.local_address)
    t.same(near.transport.local_address, far.transport.remote_address)
    far.transport.resume()
    near.transport.write('hello', 'latin1')
    await until(() => far.bytes.length === 5)
  }
})

/** The servers that are made from now on, and their handles. */
function watchServers(): { handles: ListeningHandle[]; stop(): void } {
  const handles: ListeningHandle[] = []
  const { emit } = Server.prototype
  Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]) {
    if (event === 'listening') handles.push(handleOf<ListeningHandle>(this) as ListeningHandle)
    return Reflect.apply(emit, this, [event, ...args])
  } as typeof emit
  return { handles, stop: () => void (Server.prototype.emit = emit) }
}

t.test('what the server could not accept is an error of the server, as ever', async t => {
  const { handles, stop } = watchServers()
  t.teardown(stop)
  const { failed } = await listen(t)
  handles.at(-1)!.onconnection(-24)
  t.same(
    failed.map(({ code, syscall }) => [code, syscall]),
    [['EMFILE', 'accept']],
  )
})

t.test('a connection that was reset before it was accepted is not announced', async t => {
  const { handles, stop } = watchServers()
  t.teardown(stop)
  const { accepted } = await listen(t)
  const handle = new FakeHandle()
  handle.peer = {}
  handles.at(-1)!.onconnection(0, handle.as())
  t.same(handle.calls.at(-1), ['close'])
  handle.closed!.call(handle)
  t.equal(accepted.length, 0)
})

t.test('bytes that were sent before it was accepted arrive', async t => {
  const { endpoint, accepted } = await listen(t)
  const socket = connect(endpoint.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.end('early')
  await until(() => accepted.length > 0)
  accepted[0]!.transport.resume()
  await accepted[0]!.saw('ended')
  t.equal(String(accepted[0]!.bytes), 'early')
})

t.test('refuses a Node that lacks what it needs, by name', async t => {
  const { listen } = Server.prototype
  t.teardown(() => void (Server.prototype.listen = listen))
  Server.prototype.listen = function (this: Server) {
    return this
  } as typeof listen
  t.throws(() => new FastNetwork(), {
    code: 'ERR_UNSUPPORTED_OPTION',
    message:
      'FastNetwork needs handle.onconnection, as Node 20 to 26 has it on Linux; ' +
      `Node ${process.versions.node} on ${process.platform} does not. Use the default network`,
  })
})

// `new FastNetwork({ fallback: true })` was taken without a word.
t.test('has no options', async t => {
  for (const options of [{ fallback: true }, 5, new FastNetwork()])
    t.throws(() => Reflect.construct(FastNetwork, [options]), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => Reflect.construct(FastNetwork, [{ fallback: true }]), {
    message: 'FastNetwork: there is no option "fallback"; there are none',
  })
})

t.test('packets are those of the default network', async t => {
  const socket: PacketSocket = new FastNetwork().packets({ bind: LOOPBACK })
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
  t.ok(new FastNetwork().file_limit > 2)
  t.type(new FastNetwork().has_keep_alive_probes, 'boolean')
})
