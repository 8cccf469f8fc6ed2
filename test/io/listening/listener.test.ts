/**
 * Listening sockets. The conformance suite holds them to the seam. Here is what is special to those
 * of the machine.
 */

import { execFileSync } from 'node:child_process'
import cluster from 'node:cluster'
import fs, { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createConnection, Server, type TcpNetConnectOpts } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { reusePortNeeds } from '../../../src/io/listening/listen-needs.ts'
import { mayListen, NodeListener } from '../../../src/io/listening/listener.ts'
import type { Endpoint, Transport } from '../../../src/transport.ts'
import { bareNode } from '../../built.ts'
import { until } from '../../kit.ts'
import { openSocket } from '../../open-socket.ts'
import { beforeLstat, folder, leaveStale, listen } from './listener-kit.ts'

const ip = (host: string): Endpoint => ({ kind: 'ip', host, port: 0 })

// Bun fails to listen at a host that does not exist, and does not say why.
t.test('REGRESSION: an error without a code, at a host', async t => {
  t.intercept(Server.prototype, 'listen', {
    value(this: Server) {
      process.nextTick(() => this.emit('error', new Error('Failed to listen')))
      return this
    },
  })
  const { reported, log } = listen(ip('nowhere.invalid'))
  await reported('closed')
  t.match(log[0], /^failed (ENOTFOUND|EAI_AGAIN)$/)
})

// A client that connected again and again met its server, which was starting again, between the
// moment at which the socket had its name and the one at which it was open: it was turned away.
t.test('who finds the name of a unix socket is let in', async t => {
  const path = join(folder(t), 'socket')
  for (const [kind, rounds] of [
    ['new', 10],
    ['stale', 2],
  ] as const)
    for (let round = 0; round < rounds; round++) {
      if (kind === 'stale') await leaveStale(path)
      const accepted = (transport: Transport): void => transport.destroy()
      const { listener, log, reported } = listen({ kind: 'unix', path }, { accepted })
      await connectSoon(path)
      await reported('accepted')
      t.same(log, ['listening', 'accepted'], kind)
      listener.close()
      await reported('closed')
    }
})

/** Connects as soon as that is possible. */
async function connectSoon(path: string): Promise<void> {
  const attempt = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = createConnection({ path })
      socket.on('error', () => resolve(false)).on('connect', () => resolve(true))
      socket.resume()
    })
  await until(attempt)
}

// A peer that resets before it is accepted has no address any more. Hooks that were promised one
// got undefined, and no limit per address counted the connection.
t.test('a connection that was reset before it is accepted is none', async t => {
  const hosts: unknown[] = []
  const accepted = (transport: Transport): void => {
    hosts.push(transport.remote_address?.[0])
    transport.destroy()
  }
  const { listener, reported } = listen(ip('127.0.0.1'), { accepted })
  await reported('listening')
  const [host, port] = listener.local_address as [string, number]
  // This process does nothing meanwhile.
  const connects = (then: string): unknown => {
    const program = `const s = require('net').connect(${port}, '${host}', () => s.${then}())`
    return execFileSync(...bareNode(['-e', program]))
  }
  connects('resetAndDestroy')
  connects('destroy')
  await reported('accepted')
  listener.close()
  await reported('closed')
  t.same(hosts, [host], 'who only ended is one')
})

t.test('on a port', async t => {
  const { listener, log, reported } = listen(ip('127.0.0.1'), {
    accepted: transport => transport.destroy(),
  })
  t.equal(listener.local_address, undefined)
  await reported('listening')
  const [host, port] = listener.local_address as [string, number]
  t.equal(host, '127.0.0.1')
  t.ok(port > 0 && (listener.fileno as number) > 0)
  await new Promise(resolve => createConnection(port, host).resume().once('close', resolve))
  listener.close()
  listener.close()
  await reported('closed')
  listener.close()
  t.same(log, ['listening', 'accepted', 'closed'])
  t.same([listener.local_address, listener.fileno], [[host, port], undefined])
})

t.test('on any host', async t => {
  const { listener, reported } = listen(ip(''), { accepted: transport => transport.destroy() })
  await reported('listening')
  const [, port] = listener.local_address as [string, number]
  t.ok(port > 0)
  for (const host of ['127.0.0.1', '::1'])
    await new Promise(resolve => createConnection(port, host).resume().once('close', resolve))
  listener.close()
  await reported('closed')
})

t.test('without a sink it is silent', async t => {
  const listener = new NodeListener(ip('127.0.0.1'), { backlog: 5 })
  await until(() => listener.local_address !== undefined)
  const [host, port] = listener.local_address as [string, number]
  const client = createConnection(port, host)
  await new Promise(resolve => client.once('connect', resolve))
  client.destroy()
  listener.close()
  const second = new NodeListener({ kind: 'ip', host: '192.0.2.1', port: 0 }, { backlog: 5 })
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  second.close()
  t.equal(second.fileno, undefined)
})

t.test('fails once', async t => {
  const first = listen(ip('127.0.0.1'))
  await first.reported('listening')
  const [host, port] = first.listener.local_address as [string, number]
  const second = listen({ kind: 'ip', host, port }, { failed: () => second.listener.close() })
  await second.reported('closed')
  t.same(second.log, ['failed EADDRINUSE', 'closed'])
  // Whatever the server reports now comes too late.
  const third = listen({ kind: 'ip', host, port })
  await third.reported('closed')
  t.same(third.log, ['failed EADDRINUSE', 'closed'])
  first.listener.close()
  await first.reported('closed')
})

t.test('fails when it was closed already', async t => {
  const path = join(folder(t), 'none', 'socket')
  const { listener, log, reported } = listen({ kind: 'unix', path })
  listener.close()
  await reported('closed')
  await new Promise(resolve => setImmediate(resolve))
  t.same(log, ['closed'])
})

t.test('closed while the host is looked up', async t => {
  const { listener, log, reported } = listen(ip('localhost'))
  t.equal(listener.fileno, undefined)
  listener.close()
  await reported('closed')
  const other = listen(ip('localhost'))
  await other.reported('listening')
  other.listener.close()
  await other.reported('closed')
  t.same(log, ['closed'])
})

t.test('on a path', async t => {
  const path = join(folder(t), 'socket')
  const { listener, reported } = listen(
    { kind: 'unix', path },
    {
      accepted(transport) {
        t.same([transport.local_address, transport.remote_address], [path, ''])
        transport.destroy()
      },
    },
  )
  await reported('listening')
  t.equal(listener.local_address, path)
  t.ok(statSync(path).isSocket())
  await new Promise(resolve => createConnection(path).resume().once('close', resolve))
  listener.close()
  t.equal(existsSync(path), false)
  await reported('closed')
})

/** Listens at a path in three workers of a cluster, and prints what they reported. */
const CLUSTER = `
import cluster from 'node:cluster'
import { connect } from 'node:net'
const [src, path, kind] = process.argv.slice(2)
if (cluster.isPrimary) {
  const said = []
  for (let i = 0; i < 3; i++) cluster.fork().on('message', message => {
    said.push(message)
    if (said.length === 3) connect(path)
    if (said.length < 4) return
    console.log(JSON.stringify(said))
    process.exit()
  })
} else {
  const file = kind === 'FastNetwork' ? 'fast/network.js' : 'node.js'
  const { [kind]: Network } = await import(src + file)
  const network = new Network()
  const listener = network.listen({ kind: 'unix', path }, { backlog: 5, reuse_port: false })
  listener.sink = {
    listening: () => process.send(listener.local_address === path ? 'listening' : 'elsewhere'),
    failed: error => process.send(error.message),
    accepted: () => process.send('accepted'),
    closed() {},
  }
}
`

// The path was bound under a hidden name, and each worker had its own: all but the first got
// EADDRINUSE, where bare node:net lets them share it.
t.test('REGRESSION: on a path in the workers of a cluster', async t => {
  const script = join(folder(t), 'cluster.mjs')
  writeFileSync(script, CLUSTER)
  const src = String(new URL('../../../src/io/', import.meta.url))
  for (const kind of ['NodeNetwork', 'FastNetwork']) {
    const said = execFileSync(...bareNode([script, src, join(folder(t), 'socket'), kind]))
    t.same(JSON.parse(String(said)), [...Array(3).fill('listening'), 'accepted'], kind)
  }
})

t.test('on a path in a process that was forked or not, and is a worker or not', async t => {
  const { isWorker } = cluster
  const { send } = process
  t.teardown(() => {
    Object.assign(cluster, { isWorker })
    Object.assign(process, { send })
  })
  for (const [sends, works] of [
    [undefined, false],
    [() => true, false],
    [() => true, true],
  ] as const) {
    Object.assign(process, { send: sends })
    Object.assign(cluster, { isWorker: works })
    const path = join(folder(t), 'socket')
    const { listener, log, reported } = listen({ kind: 'unix', path })
    await reported('listening')
    t.same([listener.local_address, readdirSync(join(path, '..'))], [path, ['socket']])
    listener.close()
    await reported('closed')
    t.equal(existsSync(path), false)
    const other = listen({ kind: 'unix', path })
    other.listener.close()
    await other.reported('closed')
    await new Promise(resolve => setImmediate(resolve))
    t.same([log, other.log], [['listening', 'closed'], ['closed']])
  }
})

t.test('an abstract name', async t => {
  const path = `\0sluice-listener-${process.pid}`
  const { listener, reported } = listen({ kind: 'unix', path })
  await reported(process.platform === 'linux' ? 'listening' : 'closed')
  if (process.platform === 'linux') t.equal(listener.local_address, path)
  listener.close()
  await reported('closed')
})

// Node's error spoke of a hidden name that nobody had given, and of a permission that was not
// missing.
t.test('in a folder that is not there', async t => {
  const path = join(folder(t), 'none', 'socket')
  const { log, message, reported } = listen({ kind: 'unix', path })
  await reported('closed')
  t.same(log, ['failed ENOENT', 'closed'])
  t.equal(message(), `listen ENOENT: there is no folder ${join(path, '..')}: ${path}`)
})

// systemd, and a process that is replaced without downtime, hand over a socket that is open.
t.test('on a socket that is open already', async t => {
  const path = join(folder(t), 'socket')
  const rows: [target: object, address: unknown, hosts: unknown[], to: object][] = [
    [{ port: 0, host: '127.0.0.1' }, '127.0.0.1', ['127.0.0.1', '127.0.0.1'], {}],
    [{ port: 0 }, '::', ['127.0.0.1', '127.0.0.1'], { family: 4 }],
    [{ path }, undefined, ['', ''], { path }],
  ]
  for (const [target, address, hosts, to] of rows) {
    const { fd, port } = await openSocket(target)
    const seen: unknown[] = []
    const { listener, reported } = listen(
      { kind: 'descriptor', fd },
      {
        accepted(transport) {
          for (const at of [transport.local_address, transport.remote_address])
            seen.push(typeof at === 'string' ? at : at?.[0])
          transport.destroy()
        },
      },
    )
    await reported('listening')
    t.same(listener.local_address, port === undefined ? '' : [address, port])
    createConnection({ port, ...to } as TcpNetConnectOpts).resume()
    await reported('accepted')
    t.same(seen, hosts)
    listener.close()
    await reported('closed')
  }
})

t.test('on a descriptor that is no socket', async t => {
  const fd = fs.openSync(process.execPath, 'r')
  t.teardown(() => fs.closeSync(fd))
  const { log, message, reported } = listen({ kind: 'descriptor', fd })
  await reported('closed')
  t.same(log, ['failed EINVAL', 'closed'])
  t.equal(message(), `listen EINVAL: the descriptor is no socket that can listen: ${fd}`)
})

t.test('whom somebody finds by its hidden name', async t => {
  const place = folder(t)
  beforeLstat(t, async hidden => {
    if (hidden.startsWith(place))
      await new Promise(resolve => createConnection(hidden).resume().once('close', resolve))
  })
  const { listener, log, reported } = listen({ kind: 'unix', path: join(place, 'socket') })
  await reported('listening')
  t.same(log, ['listening'], 'is not accepted')
  listener.close()
  await reported('closed')
})

t.test('closed while it takes its name', async t => {
  const place = folder(t)
  let listener: NodeListener | undefined
  const moments = ['before', 'after'] as const
  for (const moment of moments) {
    const { linkSync } = fs
    fs.linkSync = (from, to) => {
      if (moment === 'before') listener!.close()
      linkSync(from, to)
      if (moment === 'after') listener!.close()
    }
    syncBuiltinESMExports()
    const made = listen({ kind: 'unix', path: join(place, moment) })
    listener = made.listener
    await made.reported('closed')
    fs.linkSync = linkSync
    syncBuiltinESMExports()
    while (readdirSync(place).length > 0) await new Promise(resolve => setImmediate(resolve))
    t.same(made.log, ['closed'], moment)
  }
})

// Node 20 ignores the option without an error, and the second listener fails with EADDRINUSE.
t.test('a port is shared, or that is refused', async t => {
  if (reusePortNeeds(ip('')) !== undefined) {
    t.throws(() => listen(ip('127.0.0.1'), {}, { reuse_port: true }), {
      code: 'ERR_UNSUPPORTED_OPTION',
      message: /^reuse_port needs Node 22\.12, 23\.1 or newer/,
    })
    return
  }
  const one = listen(ip('127.0.0.1'), {}, { reuse_port: true })
  await one.reported('listening')
  const other = listen(
    { ...ip('127.0.0.1'), port: (one.listener.local_address as [string, number])[1] } as Endpoint,
    {},
    { reuse_port: true },
  )
  await other.reported('listening')
  t.same(other.listener.local_address, one.listener.local_address)
  for (const { listener, reported } of [one, other]) {
    listener.close()
    await reported('closed')
  }
})

// ---- who may connect ----------------------------------------------------------------------------

t.test('the mode of a unix socket: the path appears with it', async t => {
  const place = folder(t)
  for (const mode of [0o600, 0o666]) {
    const path = join(place, `${mode}`)
    const made = listen({ kind: 'unix', path }, {}, { mode })
    const modes = new Set<number>()
    while (!made.log.includes('listening')) {
      if (existsSync(path)) modes.add(statSync(path).mode & 0o777)
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal(statSync(path).mode & 0o777, mode)
    t.same(
      [...modes].filter(each => each !== mode),
      [],
    )
    made.listener.close()
    await made.reported('closed')
  }
  t.same(readdirSync(place), [])
})

t.test('IPv6 alone', async t => {
  for (const host of ['', '::1', 'localhost']) {
    const six = listen(ip(host), {}, { ipv6_only: true })
    await Promise.race([six.reported('listening'), six.reported('failed')])
    if (six.log[0] !== 'listening') {
      t.match(six.log[0], /^failed (EADDRNOTAVAIL|EAFNOSUPPORT|ENOTFOUND|EAI_\w+)$/)
      continue
    }
    const [address, port] = six.listener.local_address as [string, number]
    t.match(address, /:/, host)
    // Nobody listens with IPv4.
    const four = listen({ kind: 'ip', host: '127.0.0.1', port })
    await four.reported('listening')
    for (const { listener, reported } of [six, four]) {
      listener.close()
      await reported('closed')
    }
  }
  const nowhere = listen(ip('nowhere.invalid'), {}, { ipv6_only: true })
  await nowhere.reported('closed')
  t.match(nowhere.log[0], /^failed (ENOTFOUND|EAI_AGAIN)$/)
  const gone = listen(ip('localhost'), {}, { ipv6_only: true })
  gone.listener.close()
  await gone.reported('closed')
  await new Promise(resolve => setTimeout(resolve))
  t.same(gone.log, ['closed'])
})

// ---- permissions --------------------------------------------------------------------------------

/** Puts something in the place of a property until the test ends. */
function replace(t: Test, of: object, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(of, name)
  Object.defineProperty(of, name, { value, configurable: true, writable: true })
  t.teardown(() => {
    if (before === undefined) delete (of as Record<string, unknown>)[name]
    else Object.defineProperty(of, name, before)
  })
}

t.test('what a Node with permissions allows', async t => {
  const [yes, no] = [{ has: () => true }, { has: () => false }]
  const [knows, old] = [new Set(['--allow-net']), new Set(['--permission'])]
  t.equal(mayListen(yes, knows), true)
  t.equal(mayListen(no, knows), false)
  // Up to Node 24 the flag does not exist, and sockets are allowed.
  t.equal(mayListen(no, old), true)
  t.equal(mayListen(undefined, knows), true, 'there are none')
  t.equal(mayListen(), true)
})

const PLACES: Endpoint[] = [ip('127.0.0.1'), ip(''), { kind: 'unix', path: '/tmp/sluice-denied' }]

// With a host, Node threw a turn later, where nobody could catch it, and the server was opening for
// ever. With a port or a path it threw out of the call.
t.test('REGRESSION: a Node that forbids it', async t => {
  replace(t, process, 'permission', { has: () => false })
  replace(t, process, 'allowedNodeEnvironmentFlags', new Set(['--allow-net']))
  for (const at of PLACES) {
    const { log, reported, message } = listen(at)
    t.same(log, [], 'not inside the call')
    await reported('closed')
    t.same(log, ['failed ERR_ACCESS_DENIED', 'closed'])
    t.match(message(), /--allow-net/)
  }
})

t.test('REGRESSION: a runtime that throws when it is told to listen', async t => {
  replace(t, Server.prototype, 'listen', () => {
    throw Object.assign(new Error('no'), { code: 'ERR_NO' })
  })
  for (const at of PLACES) {
    const { log, reported } = listen(at)
    await reported('closed')
    t.same(log, ['failed ERR_NO', 'closed'])
  }
  const { listener, log, reported } = listen(ip(''))
  listener.close()
  await reported('closed')
  t.same(log, ['closed'])
})

// Without --allow-fs-write the rejection ended the process, and the server stayed 'opening'.
t.test('REGRESSION: a Node that forbids to touch files', async t => {
  const place = folder(t)
  const { lstat, rm } = fs.promises
  t.teardown(() => {
    Object.assign(fs.promises, { lstat, rm })
    syncBuiltinESMExports()
  })
  const denied = async (): Promise<never> => {
    throw Object.assign(new Error('Access restricted'), { code: 'ERR_ACCESS_DENIED' })
  }
  Object.assign(fs.promises, { lstat: denied, rm: denied })
  syncBuiltinESMExports()
  const { log, reported } = listen({ kind: 'unix', path: join(place, 'socket') })
  await reported('closed')
  t.same(log, ['failed ERR_ACCESS_DENIED', 'closed'])
  t.same(readdirSync(place), [], 'nothing is left')
})

const isDenying = process.allowedNodeEnvironmentFlags.has('--allow-net')

t.test('under --permission', { skip: !isDenying && 'since Node 25' }, async t => {
  const url = new URL('../../../src/io/listening/listener.js', import.meta.url)
  const program = `
    const { NodeListener } = await import(${JSON.stringify(url.href)})
    for (const at of ${JSON.stringify(PLACES)}) {
      const listener = new NodeListener(at, { backlog: 5 })
      await new Promise(closed => {
        listener.sink = { failed: error => console.log(error.code), closed }
      })
    }`
  const flags = ['--permission', '--allow-fs-read=*', '--allow-fs-write=*']
  const text = execFileSync(...bareNode([...flags, '--input-type=module', '-e', program]), {
    encoding: 'utf8',
  })
  t.equal(text, 'ERR_ACCESS_DENIED\n'.repeat(PLACES.length))
})
