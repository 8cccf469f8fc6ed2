/** Who gets a request for an upgrade, of those that stand beside one HTTP server. */

import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { HttpUpgrades } from '../../../../src/protocols/websocket/attach/http-upgrades.ts'
import { thrown } from '../../../kit.ts'

/** An HTTP server, as far as it matters here. */
class Http extends EventEmitter {
  readonly got: string[] = []

  address(): null {
    return null
  }

  /** Something that takes requests. */
  taker(name: string, path?: string): { path: string | undefined; take(): void } {
    return { path, take: () => void this.got.push(name) }
  }

  /** Who gets a request for that. */
  ask(url: string, socket = new PassThrough()): string {
    this.got.length = 0
    this.emit('upgrade', { url }, socket, Buffer.alloc(0))
    return this.got.join()
  }
}

function made(): { http: Http; upgrades: HttpUpgrades } {
  const http = new Http()
  return { http, upgrades: HttpUpgrades.of(http as unknown as Server) }
}

t.test('what is no HTTP server', async t => {
  const application = Object.assign(() => {}, { on() {}, listen() {} })
  for (const wrong of [undefined, null, 8080, {}, application, new EventEmitter()])
    t.throws(() => HttpUpgrades.of(wrong as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /attach: http must be a server of node:http or node:https, such as what app.listen/,
    })
  const { http, upgrades } = made()
  t.equal(HttpUpgrades.of(http as unknown as Server), upgrades, 'one for each')
})

t.test('its path, then every path', async t => {
  const { http, upgrades } = made()
  upgrades.add(http.taker('all'))
  upgrades.add(http.taker('a', '/a'))
  upgrades.add(http.taker('b', '/b'))
  t.same(
    ['/a', '/b?x=/a', '/a/', '/A', '/', 'ws://here/a', '*', '/c'].map(url => http.ask(url)),
    ['a', 'b', 'all', 'all', 'all', 'a', 'all', 'all'],
  )
  for (const path of ['/a', undefined])
    t.equal(
      thrown(() => upgrades.checkFree(path)),
      'ERR_INVALID_ARGUMENT',
    )
  upgrades.checkFree('/c')
})

t.test('what is for none of them', async t => {
  const { http, upgrades } = made()
  const [a, b] = [http.taker('a', '/a'), http.taker('b', '/b')]
  upgrades.add(a)
  upgrades.add(b)
  t.same([http.ask('/c'), http.ask('*')], ['a', 'a'], 'the first one refuses it')
  const other = (): void => void http.got.push('other')
  http.on('upgrade', other)
  t.same([http.ask('/c'), http.ask('/b')], ['other', 'b,other'], 'they share the event')
  http.off('upgrade', other)
  upgrades.remove(a)
  t.same([http.ask('/a'), http.ask('/b')], ['b', 'b'])
  upgrades.remove(b)
  t.equal(http.listenerCount('upgrade'), 0, 'the HTTP server is as it was')
  upgrades.add(b)
  t.equal(http.ask('/b'), 'b')
})

t.test('a socket that is over', async t => {
  const { http, upgrades } = made()
  upgrades.add(http.taker('all'))
  const refused = new PassThrough()
  refused.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  t.equal(http.ask('/', refused), '', 'refused by a listener before ours')
  const gone = new PassThrough()
  gone.destroy()
  t.equal(http.ask('/', gone), '')
  const read = new PassThrough({ allowHalfOpen: true })
  Object.defineProperty(read, 'readableEnded', { value: true })
  t.equal(http.ask('/', read), '')
})
