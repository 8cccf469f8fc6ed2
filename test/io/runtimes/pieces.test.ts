/** Long writes on a socket whose handle does not tell how much of a write has gone. */

import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { mustBeCut, PIECE, writePieces } from '../../../src/io/runtimes/pieces.ts'

/** Two ends of one connection. The near one has a handle as on Bun and Deno. */
async function pair(t: Test): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far }
}

function untold(socket: Socket): Socket {
  const { _handle } = socket as unknown as { _handle: object }
  Object.defineProperty(_handle, 'writeQueueSize', { value: undefined })
  return socket
}

t.test('only what is long, and only where the handle does not tell', async t => {
  const { near } = await pair(t)
  t.equal(mustBeCut(Buffer.alloc(PIECE + 1), near), false)
  untold(near)
  t.equal(mustBeCut(Buffer.alloc(PIECE + 1), near), true)
  t.equal(mustBeCut(Buffer.alloc(PIECE), near), false)
  near.destroy()
  t.equal(mustBeCut('x'.repeat(PIECE + 1), near), true)
})

// One write of 32 MiB to a peer that took 5 MiB a second was closed by a write_timeout of 1.5 s on
// Bun and Deno: the socket counted none of it before all of it had gone.
t.test('REGRESSION: a long write is counted while it goes', async t => {
  const { near, far } = await pair(t)
  // More than the buffers of the system take, which are up to 10 MiB.
  const data = Buffer.alloc(32 << 20, 'sluice')
  const taken: Buffer[] = []
  let isDone = false
  writePieces(untold(near), data, 'utf8', () => (isDone = true))
  const left = near.writableLength
  t.ok(left > 0 && left < data.length)
  far.on('data', chunk => {
    taken.push(chunk)
    if (near.writableLength < left) far.pause()
  })
  await once(far, 'pause')
  t.ok(near.writableLength > 0, 'some of it has gone, not all')
  far.removeAllListeners('data')
  far.resume()
  far.on('data', chunk => taken.push(chunk))
  near.end()
  await once(far, 'end')
  t.ok(Buffer.concat(taken).equals(data))
  t.equal(isDone, true)
})

t.test('text, in its encoding', async t => {
  const { near, far } = await pair(t)
  const text = 'ü'.repeat(PIECE + 5)
  const taken: Buffer[] = []
  far.on('data', chunk => taken.push(chunk))
  writePieces(near, text, 'latin1')
  near.end()
  await once(far, 'end')
  t.equal(Buffer.concat(taken).toString('latin1'), text)
})
