/**
 * What is below TLS stops with it. The bug: a server on Deno that had suspended a connection took
 * all that the peer sent, 30 MB of it in a second, and a peer that reads slowly never felt it.
 */

import { Duplex } from 'node:stream'
import t from 'tap'
import { flow } from '../../../src/io/runtimes/tls-flow.ts'

const DENO = { node: '26.3.0', deno: '2.9.6' }

t.test('the handle of a socket stops and starts', async t => {
  const calls: string[] = []
  const handle = { readStart: () => calls.push('start'), readStop: () => calls.push('stop') }
  const socket = Object.assign(new Duplex(), { _handle: handle })
  flow(socket, false, DENO)
  flow(socket, true, DENO)
  t.same(calls, ['stop', 'start'])
})

t.test('so does any other stream, and a socket that has closed', async t => {
  const closed = Object.assign(new Duplex({ read() {} }), { _handle: null })
  for (const socket of [new Duplex({ read() {} }), closed]) {
    flow(socket, false, DENO)
    t.equal(socket.isPaused(), true)
    flow(socket, true, DENO)
    t.equal(socket.isPaused(), false)
  }
})

t.test('elsewhere nothing is done', async t => {
  const socket = new Duplex({ read() {} })
  flow(socket, false, { node: '26.3.0' })
  t.equal(socket.isPaused(), false)
  flow(socket, false, { node: '26.3.0', bun: '1.4.5' })
  t.equal(socket.isPaused(), false)
})
