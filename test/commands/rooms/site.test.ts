/** What is answered to requests of HTTP. */

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { site } from '../../../src/commands/rooms/site.ts'

t.test('the page, the client, and nothing else', async t => {
  const page = '<style>p {}</style><p>é</p><script type="module">go()</script>'
  const http = createServer(site({ page, script: 'export {}' })).listen(0, '127.0.0.1')
  t.teardown(() => http.close())
  await new Promise(resolve => http.once('listening', resolve))
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(base + path, { method, headers: { connection: 'close' } })
    return [response.status, await response.text(), response.headers] as const
  }
  const [status, text, headers] = await get('/?x=1')
  t.same([status, text], [200, page])
  t.equal(headers.get('content-type'), 'text/html; charset=utf-8')
  const hash = (of: string): string => createHash('sha256').update(of).digest('base64')
  const policy = headers.get('content-security-policy') as string
  t.match(policy, `script-src 'self' 'sha256-${hash('go()')}'`)
  t.match(policy, `style-src 'sha256-${hash('p {}')}'`)
  t.match((await get('/sluice-rooms.js'))[2].get('content-type'), /javascript/)
  t.match(await get('/', 'HEAD'), [200, ''])
  t.match(await get('/', 'POST'), [405, /read/])
  t.match(await get('/../package.json'), [404, /The chat is at/])
})
