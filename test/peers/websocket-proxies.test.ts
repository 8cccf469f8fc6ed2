/**
 * WebSocket through real proxies: HAProxy, which needs no word for it, and nginx, told as the
 * chapter says. CI installs both.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WebSocketClient } from '../../src/protocols/websocket/index.ts'
import {
  Caller,
  folder,
  isHere,
  listens,
  nextClose,
  program,
  serve,
  TEXTS,
} from '../websocket-peers.ts'

/** Texts go through it, both compressed and not, and the goodbye of each end. */
async function passes(t: Test, start: (port: number, path: string) => Promise<void>) {
  for (const deflate of [false, true]) {
    const { port, engine } = await serve(t, { deflate })
    const path = join(await folder(t), 'socket')
    await start(port, path)
    const headers = { Origin: 'http://localhost' }
    const caller = new Caller({ engine, deflate }).connect(`ws+unix:${path}:/chat`, { headers })
    t.equal(await caller.closed, 'local')
    t.same(caller.got, TEXTS)
    t.equal(await nextClose(), 'remote 3000 bye')
    const other = await new WebSocketClient().connect(`ws+unix:${path}:/chat`).opened
    await engine.stop()
    t.equal(await other.closed, 'remote')
    t.equal(other.close_code, 1001)
    t.equal(await nextClose(), 'drain 1001 ')
  }
}

t.test(
  'through HAProxy',
  { skip: !isHere('haproxy', '-v') && 'haproxy is not installed' },
  async t => {
    await passes(t, async (port, path) => {
      const config = `${path}.cfg`
      await writeFile(
        config,
        `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
listen front
  bind ${path}
  server back 127.0.0.1:${port}
`,
      )
      await listens(program(t, 'haproxy', ['-f', config]), path)
    })
  },
)

const NGINX = '/usr/sbin/nginx'

t.test('through nginx', { skip: !isHere(NGINX, '-v') && 'nginx is not installed' }, async t => {
  const chapter = await readFile('src/protocols/websocket/README.md', 'utf8')
  const location = /^    location [^]*?^    }/m.exec(chapter)?.[0] as string
  await passes(t, async (port, path) => {
    const config = `${path}.conf`
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    await writeFile(
      config,
      `daemon off;
master_process off;
pid ${path}.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temp.map(name => `${name}_temp_path ${path}.${name};`).join('\n  ')}
  server {
    listen unix:${path};
${location.replace('127.0.0.1:8080', `127.0.0.1:${port}`)}
  }
}
`,
    )
    await listens(program(t, NGINX, ['-c', config, '-e', 'stderr']), path)
  })
})
