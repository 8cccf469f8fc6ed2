/** A server of node:http as the door of a router, by real sockets. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { HttpDoor } from '../../../src/packets/router/http-door.ts'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { WebSocketClient } from '../../../src/protocols/websocket/client.ts'
import { until } from '../../kit.ts'

const log: string[] = []
const peers: Peer[] = []
const engine = new Engine({ log: () => {} })
const http = createServer()
const door = new HttpDoor(http, '/socket', engine, {
  owner: {
    heard: (peer, text) => {
      if (!peers.includes(peer)) peers.push(peer)
      log.push(`heard ${text.slice(0, 10)}`)
    },
    ready: () => void log.push('ready'),
    gone: () => void log.push('gone'),
    failed: error => void log.push(`failed ${(error as { code?: string }).code}`),
  },
  handle: ({ url }, response) => {
    if (url !== '/is_alive') return false
    response.end('yes')
    return true
  },
})

/** A client of the door. */
class Person extends WebSocketClient {
  readonly got: string[] = []
  override message_size = 100_000_000
  override on_message(text: string): void {
    this.got.push(text)
  }
}

t.test('requests, and peers', async t => {
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return `${response.status} ${await response.text()}`
  }
  t.equal(await ask('/is_alive'), '200 yes')
  t.equal(await ask('/other'), '404 not found\n')
  const other = (_: unknown, response: { end(text: string): void; headersSent: boolean }): void => {
    if (!response.headersSent) response.end('mine')
  }
  http.on('request', other)
  t.equal(await ask('/other'), '200 mine')
  http.off('request', other)

  const person = new Person({ engine })
  await person.connect(`ws://127.0.0.1:${port}/socket`).opened
  person.send('hello')
  await until(() => log.length > 0)
  t.strictSame(log.splice(0), ['heard hello'])
  t.match(peers[0]!.address, /^127\.0\.0\.1:\d+$/)
  t.equal(peers[0]!.send('and you', 'x', 'y'), true)
  await until(() => person.got.length > 0)
  t.strictSame(person.got.splice(0), ['and you'])

  person.suspend()
  const large = 'x'.repeat(100_000)
  let count = 0
  while (peers[0]!.send(large, 'x', 'y')) count++
  t.ok(count > 0 && count < 160, 'it stops before its buffer is full')
  person.resume()
  await until(() => log.includes('ready'))
  t.equal(peers[0]!.send('x', 'x', 'y'), true)
  await until(() => person.got.length === count + 1)
  log.length = 0
  person.send('x'.repeat(2_000_000))
  await until(() => log.includes('gone'))
  t.match(log, [/^failed/, 'gone'])
  t.equal(peers[0]!.send('late', 'x', 'y'), false)

  const last = new Person({ engine })
  await last.connect(`ws://127.0.0.1:${port}/socket`).opened
  await door.close()
  await last.closed
  t.equal(http.listenerCount('request'), 0)
  http.close()
  http.closeAllConnections()
  await once(http, 'close')
  await engine.stop()
})
