/**
 * What only the machine's own sockets do: host names, ports, permissions, and the paths of unix
 * sockets.
 */

import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Engine } from '../../src/engine.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import type { Address } from '../../src/types.ts'
import { bareNode } from '../built.ts'
import { NO_FAST } from '../fast-network.ts'
import { spy, until } from '../kit.ts'
import { openSocket } from '../open-socket.ts'

type Lookup = (
  host: string,
  options: { all?: boolean | undefined },
  callback: (error: Error | null, addresses?: { address: string; family: number }[]) => void,
) => void

/** An engine that must have nothing left at the end; its log. */
async function machine(
  t: Test,
  title: string,
  body: (t: Test, engine: Engine, logged: string[]) => Promise<void>,
): Promise<void> {
  await t.test(title, { timeout: 120_000 }, async t => {
    const logged: string[] = []
    const engine = new Engine({ log: message => logged.push(message) })
    await body(t, engine, logged)
    await engine.stop({ timeout: 2000 })
    t.equal(engine.channels.size, 0)
    t.same(logged, [])
  })
}

const error = (code: string) =>
  Object.assign(new Error(`getaddrinfo ${code}`), { code, syscall: 'getaddrinfo' })

// ---- hosts and ports ----------------------------------------------------------------------------

await machine(t, 'a host that nobody can resolve', async (t, engine, logged) => {
  const log: string[] = []
  const client = spy(new Client({ engine }), '', log)
  const lookup: Lookup = (_host, _options, callback) => setImmediate(callback, error('ENOTFOUND'))
  client.connect(['nowhere.invalid', 80], { lookup })
  await t.rejects(client.opened, { name: 'ConnectError', code: 'ENOTFOUND' })
  t.equal(await client.closed, 'error')
  t.same(
    log.filter(line => line.includes('_')),
    [' connect_error ENOTFOUND'],
  )
  t.same(logged.splice(0), [], 'the program looks at `opened`')
})

await machine(
  t,
  'a resolver that throws, answers nonsense or nothing',
  async (t, engine, logged) => {
    const lookups: Record<string, Lookup> = {
      'in the call': () => {
        throw error('EBROKEN')
      },
      'at once': (_host, _options, callback) => callback(error('EBROKEN')),
      'no address': (_host, _options, callback) =>
        callback(null, [{ address: 'nonsense', family: 4 }]),
      'no addresses': (_host, _options, callback) => callback(null, []),
    }
    for (const [how, lookup] of Object.entries(lookups)) {
      const client = new Client({ engine }).connect(['somewhere.invalid', 80], { lookup })
      t.equal(client.state, 'opening', how)
      await t.rejects(client.opened, { name: 'ConnectError' }, how)
      t.equal(await client.closed, 'error', how)
      t.same(logged.splice(0), [], how)
    }
    const silent = new Client({ engine, connect_timeout: 5 }).connect(['silent.invalid', 80], {
      lookup: () => {},
    })
    await t.rejects(silent.opened, {
      code: 'ERR_TIMEOUT',
      message: /silent\.invalid:80 took longer than connect_timeout, 5 ms/,
    })
    t.equal(await silent.closed, 'timeout')
    logged.splice(0)
  },
)

await machine(t, 'aborted while the host is looked up', async (t, engine, logged) => {
  const control = new AbortController()
  const lookup: Lookup = (_host, _options, callback) => {
    control.abort(new Error('enough'))
    setImmediate(callback, null, [{ address: '127.0.0.1', family: 4 }])
  }
  const client = new Client({ engine }).connect(['slow.invalid', 80], {
    signal: control.signal,
    lookup,
  })
  await t.rejects(client.opened, { code: 'ERR_ABORTED', cause: { message: 'enough' } })
  t.equal(await client.closed, 'error')
  logged.splice(0)
})

await machine(
  t,
  'a host with two addresses, of which the first refuses',
  async (t, engine, logged) => {
    const server = await new Server({ engine }).listen(['127.0.0.2', 0]).opened
    const [, port] = server.local_address as [string, number]
    const both: Lookup = (_host, _options, callback) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])
    const client = await new Client({ engine }).connect(['two.invalid', port], { lookup: both })
      .opened
    t.same(client.remote_address, ['127.0.0.2', port])
    server.close()
    await client.closed
    const refused = new Client({ engine }).connect(['two.invalid', port], { lookup: both })
    await t.rejects(
      refused.opened,
      { code: 'ECONNREFUSED', message: /127\.0\.0\.1.*; .*127\.0\.0\.2/ },
      'both refuse: both are named',
    )
    t.same(logged.splice(0), [], 'the program looks at `opened`')
  },
)

// Node throws in connect() for an address to connect from that is none: the channel had begun to
// open by then, and stayed so for ever.
await machine(t, 'an address to connect from', async (t, engine, logged) => {
  const server = await new Server({ engine }).listen(['127.0.0.1', 0]).opened
  const client = await new Client({ engine }).connect(server.local_address as Address, {
    local_address: ['127.0.0.3', 0],
  }).opened
  t.equal((client.local_address as [string, number])[0], '127.0.0.3')
  for (const host of ['192.0.2.1', 'no address']) {
    const wrong = new Client({ engine }).connect(server.local_address as Address, {
      local_address: [host, 0],
    })
    await t.rejects(wrong.opened, { name: 'ConnectError' })
    t.equal(await wrong.closed, 'error')
    logged.splice(0)
  }
})

await machine(t, 'every form of address', async (t, engine) => {
  for (const [at, from, host] of [
    [0, '127.0.0.1', '127.0.0.1'],
    [['', 0], '::1', '::1'],
    [['127.0.0.1', 0], 'localhost', '127.0.0.1'],
    [{ host: '::1', port: 0 }, '[::1]', '::1'],
    [{ port: 0 }, '', undefined],
    [['localhost', 0], 'localhost', undefined],
    [['0.0.0.0', 0], '', '127.0.0.1'],
  ] as const) {
    const server = await new Server({ engine }).listen(at).opened
    const [, port] = server.local_address as [string, number]
    t.ok(port > 0 && typeof server.fileno === 'number')
    const client = await new Client({ engine }).connect([from, port]).opened
    await until(() => server.channels.size === 1)
    const [connection] = server.channels
    t.same(connection!.remote_address, client.local_address)
    t.same(connection!.local_address, client.remote_address)
    if (host !== undefined)
      t.same(
        client.remote_address,
        [host, port],
        'an IPv4 peer of a server for both families is IPv4',
      )
    client.close()
    server.close()
    await server.closed
  }
})

await machine(t, 'a port in use, and one that is not allowed', async (t, engine, logged) => {
  const server = await new Server({ engine }).listen(0).opened
  const [, port] = server.local_address as [string, number]
  const second = new Server({ engine }).listen(port)
  await t.rejects(second.opened, { name: 'ListenError', code: 'EADDRINUSE' })
  t.same(logged.splice(0), [], 'the program looks at `opened`')
  const elsewhere = new Server({ engine }).listen(['192.0.2.1', 0])
  await t.rejects(elsewhere.opened, { code: 'EADDRNOTAVAIL' })
  logged.splice(0)
  if (process.getuid?.() === 0) return t.comment('root may listen on port 1')
  await t.rejects(new Server({ engine }).listen(1).opened, { code: 'EACCES' })
  logged.splice(0)
})

// A service of systemd, and one that is replaced without downtime, get their socket from outside.
for (const network of [new NodeNetwork(), ...(NO_FAST === undefined ? [new FastNetwork()] : [])])
  for (const kind of ['port', 'path']) {
    await t.test(`a ${kind} that is open already, ${network.constructor.name}`, async t => {
      const engine = new Engine({ network })
      const path = join(mkdtempSync(join(tmpdir(), 'sluice-')), 'socket')
      t.teardown(() => rmSync(join(path, '..'), { recursive: true }))
      const isPath = kind === 'path'
      const { fd, port } = await openSocket(isPath ? { path } : { port: 0, host: '127.0.0.1' })
      class Echo extends Connection {
        override on_read(data: Buffer) {
          this.write(data)
        }
      }
      const server = await new Server(Echo, { engine }).listen({ fd }).opened
      t.same([server.local_address, server.fileno], [isPath ? '' : ['127.0.0.1', port], fd])
      const client = new Client({ engine, read_delimiter: 5 }).connect(isPath ? { path } : port!)
      const answer = new Promise(resolve => (client.on_read = resolve))
      await client.opened
      client.write('hello')
      t.equal(String(await answer), 'hello')
      await engine.stop({ timeout: 2000 })
      t.equal(existsSync(path), isPath, 'whoever made it removes it')
    })
  }

// The host is looked up first, and Node listens when that is done, closed or not: the socket stayed
// open with nobody to close it.
await machine(t, 'closed while the host is looked up', async (t, engine) => {
  const before = process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap').length
  const server = new Server({ engine }).listen(['localhost', 0])
  server.close()
  t.equal(await server.closed, 'local')
  await t.rejects(server.opened, { code: 'ERR_CLOSED' })
  // As long as a lookup takes, for whatever it may start.
  for (let n = 0; n < 3; n++) {
    const other = await new Server({ engine }).listen(['localhost', 0]).opened
    other.close()
    await other.closed
  }
  await until(
    () =>
      process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap').length <= before,
  )
})

// ---- the paths of unix sockets ------------------------------------------------------------------

/** A folder of its own, short enough; at the end only `left` may be in it. */
async function withFolder(
  t: Test,
  title: string,
  body: (t: Test, folder: string, engine: Engine, logged: string[]) => Promise<void>,
  left: string[] = [],
): Promise<void> {
  await machine(t, title, async (t, engine, logged) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    await body(t, folder, engine, logged)
    await engine.stop()
    t.same(readdirSync(folder), left)
  })
}

/** Does somebody answer there, and how? */
async function ask(engine: Engine, path: string): Promise<string> {
  const client = new Client({ engine, encoding: 'utf8' })
  let answer = ''
  client.on_read = (data: string) => void (answer += data)
  client.on_error = error => {
    answer = (error as Error & { code: string }).code
    client.close()
  }
  client.connect({ path })
  await client.closed
  return answer
}

/** A class whose connections say that, and end. */
const saying = (word: string) =>
  class extends Connection {
    override on_connect() {
      this.write(word)
      this.end()
    }
  }

await withFolder(t, 'a path is there while the server listens', async (t, folder, engine) => {
  const path = join(folder, 'socket')
  const server = await new Server(saying('hello'), { engine }).listen(path).opened
  t.equal(server.local_address, path)
  t.equal(await ask(engine, path), 'hello')
  t.same(readdirSync(folder), ['socket'], 'and nothing else is')
  server.close()
  t.equal(existsSync(path), false, 'gone in the call, in case that the program exits right after')
  await server.closed
  t.equal(await ask(engine, path), 'ENOENT')
})

await withFolder(
  t,
  'the path of a server that was killed is taken over',
  async (t, folder, engine) => {
    const path = join(folder, 'stale')
    const program = `require('net').createServer()
      .listen(${JSON.stringify(path)}, () => console.log('listening'))`
    const child = spawn(...bareNode(['-e', program]), { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => child.stdout.once('data', resolve))
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
    t.equal(existsSync(path), true)
    t.equal(await ask(engine, path), 'ECONNREFUSED')
    await new Server(saying('successor'), { engine }).listen(path).opened
    t.equal(await ask(engine, path), 'successor')
  },
)

await withFolder(t, 'the path of one that lives is not', async (t, folder, engine, logged) => {
  const path = join(folder, 'alive')
  await new Server(saying('first'), { engine }).listen(path).opened
  const second = new Server(saying('second'), { engine }).listen(path)
  await t.rejects(second.opened, { code: 'EADDRINUSE', message: /another server listens there/ })
  await second.closed
  logged.splice(0)
  t.equal(await ask(engine, path), 'first', 'and it does not take the path with it')
  // Nor that of a program which is none of ours.
  const foreign = createServer().listen(join(folder, 'foreign'))
  await new Promise(resolve => foreign.once('listening', resolve))
  const third = new Server({ engine }).listen(join(folder, 'foreign'))
  await t.rejects(third.opened, { code: 'EADDRINUSE' })
  logged.splice(0)
  await new Promise(resolve => foreign.close(resolve))
})

await withFolder(
  t,
  'what is no socket is left alone',
  async (t, folder, engine, logged) => {
    const path = join(folder, 'file')
    writeFileSync(path, 'mine')
    symlinkSync(path, join(folder, 'link'))
    for (const at of [path, join(folder, 'link'), folder]) {
      await t.rejects(
        new Server({ engine }).listen(at).opened,
        { code: 'EADDRINUSE', message: /not a socket/ },
        at,
      )
    }
    t.equal(readFileSync(path, 'utf8'), 'mine')
    for (const at of [join(folder, 'none', 'socket'), join(path, 'socket')])
      await t.rejects(new Server({ engine }).listen(at).opened, { name: 'ListenError' })
    logged.splice(0)
    t.equal(await ask(engine, path), 'ECONNREFUSED')
  },
  ['file', 'link'],
)

await withFolder(
  t,
  'an old server does not remove the path of its successor',
  async (t, folder, engine) => {
    const path = join(folder, 'path')
    const old = await new Server(saying('old'), { engine }).listen(path).opened
    rmSync(path)
    const successor = await new Server(saying('new'), { engine }).listen(path).opened
    old.close()
    await old.closed
    t.equal(await ask(engine, path), 'new')
    successor.close()
    await successor.closed
    // Removed by somebody else: nothing of ours is lost.
    const third = await new Server({ engine }).listen(path).opened
    rmSync(path)
    third.close()
    await third.closed
  },
)

// Closed between the two steps of taking its name, it missed the hidden one, took that for a
// failure, and left the other behind.
await withFolder(
  t,
  'closed at any moment, it leaves nothing behind',
  async (_t, folder, engine) => {
    for (let turns = 0; turns < 40; turns++) {
      const server = new Server({ engine }).listen(join(folder, `${turns}`))
      for (let n = 0; n < turns >> 1; n++) await new Promise(resolve => setImmediate(resolve))
      server.close()
      await server.closed
    }
    await until(() => readdirSync(folder).length === 0)
  },
)

// A socket is bound under another name first. That was longer than the one asked for, and in a long
// path too long.
await withFolder(t, 'the longest path there is', async (t, folder, engine) => {
  for (const name of ['s', '~', 'socket', 'name~']) {
    const deep = join(folder, 'd'.repeat(107 - folder.length - 2 - name.length))
    t.equal(join(deep, name).length, 107)
    mkdirSync(deep)
    const server = await new Server(saying(name), { engine }).listen(join(deep, name)).opened
    t.equal(await ask(engine, join(deep, name)), name)
    t.same(readdirSync(deep), [name])
    server.close()
    await server.closed
    rmSync(deep, { recursive: true })
  }
})

await machine(t, 'abstract names', async (t, engine, logged) => {
  if (process.platform !== 'linux') return t.comment('there are none')
  const path = `\0sluice-${process.pid}`
  const server = await new Server(saying('abstract'), { engine }).listen(path).opened
  t.equal(server.local_address, path)
  t.equal(await ask(engine, path), 'abstract')
  const second = new Server({ engine }).listen(path)
  await t.rejects(second.opened, { code: 'EADDRINUSE' })
  logged.splice(0)
})
