/** A socket that was given to node:net: node:net gets what it reports. */

import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import t from 'tap'
import { Given, handlersOf } from '../../../src/io/bun/given.ts'
import { FakeSocket } from './kit.ts'

t.test('node:net gets what it reports', async t => {
  const told: unknown[] = []
  const handlers = Object.fromEntries(
    ['data', 'drain', 'end', 'close'].map(name => [
      name,
      (...args: unknown[]) => told.push([name, ...args.slice(1)]),
    ]),
  )
  const socket = withHandlers(handlers)
  const handle = new FakeSocket()
  const given = new Given(handle, socket)
  t.equal(given.self, socket)
  t.equal(handle.data, given)
  t.equal(given.req.oncomplete(), undefined)
  handle.received('hello')
  handle.drained(1)
  handle.ended()
  handle.closed('ECONNRESET')
  t.match(told, [
    ['data', Buffer.from('hello')],
    ['drain'],
    ['end'],
    ['close', { code: 'ECONNRESET' }],
  ])
})

t.test('a runtime without them has none', async t => {
  t.equal(handlersOf(new Socket()), undefined)
})

function withHandlers(handlers: object): Socket {
  return Object.assign(new Socket(), { [Symbol('khandlers')]: handlers })
}
