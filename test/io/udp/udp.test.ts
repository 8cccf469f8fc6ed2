/** Packet sockets over real UDP on the loopback interface. */

import dgram from 'node:dgram'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { openPackets } from '../../../src/io/udp/udp.ts'
import type { Endpoint, PacketOptions, PacketSocket, SystemError } from '../../../src/transport.ts'
import type { SocketAddress } from '../../../src/types.ts'

type Report =
  | { what: 'opened' | 'closed' }
  | { what: 'received'; data: string; from: SocketAddress }
  | { what: 'refused' | 'failed'; code: string | undefined }

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some(at => at?.address === '::1')
const unlessIPv6 = hasIPv6 ? {} : { skip: 'this machine has no ::1' }

/** A socket that remembers what it reported, and can be waited for. */
class Probe {
  readonly socket: PacketSocket
  readonly reports: Report[] = []
  #seen = 0
  #wake: () => void = () => {}

  constructor(options: PacketOptions) {
    this.socket = openPackets(options)
    this.socket.sink = {
      opened: () => this.#add({ what: 'opened' }),
      received: (data, from) => this.#add({ what: 'received', data: String(data), from }),
      refused: error => this.#add({ what: 'refused', code: error.code }),
      failed: error => this.#add({ what: 'failed', code: error.code }),
      closed: () => this.#add({ what: 'closed' }),
    }
  }

  get names(): string[] {
    return this.reports.map(report => report.what)
  }

  get port(): number {
    return (this.socket.local_address as [string, number])[1]
  }

  /** The next report that was not yet waited for. */
  async next(): Promise<Report> {
    while (this.#seen === this.reports.length)
      await new Promise<void>(resolve => (this.#wake = resolve))
    return this.reports[this.#seen++]!
  }

  /** Sends; resolves with the code of the error, '' if it was sent. */
  send(data: string, to?: Endpoint): Promise<string> {
    return codeOfSend(this.socket, data, to)
  }

  async close(): Promise<void> {
    this.socket.destroy()
    while (this.names.at(-1) !== 'closed') await this.next()
  }

  #add(report: Report): void {
    this.reports.push(report)
    this.#wake()
  }
}

function codeOfSend(
  socket: PacketSocket,
  data: string | Uint8Array,
  to?: Endpoint,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let calls = 0
    let inside = true
    socket.send(data, 'utf8', to, error => {
      if (inside || ++calls > 1) reject(new Error('done was called inside send, or twice'))
      resolve(error === null ? '' : (error.code ?? 'no code'))
    })
    inside = false
  })
}

function ip(host: string, port: number): Endpoint {
  return { kind: 'ip', host, port }
}

/** An open socket; closed with the test. */
async function opened(t: Tap, options: PacketOptions): Promise<Probe> {
  const probe = new Probe(options)
  t.teardown(() => probe.close())
  const first = await probe.next()
  if (first.what !== 'opened') throw new Error(`not opened: ${JSON.stringify(first)}`)
  return probe
}

type Tap = Pick<typeof t, 'teardown'>

/** A port on 127.0.0.1 where no socket is bound. */
async function deadPort(): Promise<number> {
  const probe = new Probe({ bind: ip('127.0.0.1', 0) })
  await probe.next()
  await probe.close()
  return probe.port
}

t.test('packets go there and back; addresses stay after closing', async t => {
  const a = new Probe({ bind: ip('127.0.0.1', 0) })
  t.same(a.reports, [], 'nothing is reported inside the call')
  t.equal(a.socket.local_address, undefined)
  t.equal(a.socket.fileno, undefined)
  t.same(await a.next(), { what: 'opened' })
  const b = await opened(t, { bind: ip('127.0.0.1', 0) })
  t.equal(typeof a.socket.fileno, process.platform === 'win32' ? 'undefined' : 'number')
  t.equal(a.socket.remote_address, undefined)

  t.equal(await b.send('ping', ip('127.0.0.1', a.port)), '')
  t.same(await a.next(), { what: 'received', data: 'ping', from: ['127.0.0.1', b.port] })
  t.equal(await codeOfSend(a.socket, Buffer.from('pong'), ip('127.0.0.1', b.port)), '')
  t.same(await b.next(), { what: 'received', data: 'pong', from: ['127.0.0.1', a.port] })
  a.socket.send('ff00', 'hex', ip('127.0.0.1', b.port), () => {})
  t.same(await b.next(), {
    what: 'received',
    data: String(Buffer.from('ff00', 'hex')),
    from: ['127.0.0.1', a.port],
  })
  t.equal(await b.send('', ip('127.0.0.1', a.port)), '')
  t.same(
    await a.next(),
    { what: 'received', data: '', from: ['127.0.0.1', b.port] },
    'an empty packet is a packet',
  )

  const port = a.port
  await a.close()
  t.same(a.socket.local_address, ['127.0.0.1', port])
  t.equal(a.socket.fileno, undefined)
})

t.test('without a host, one socket serves both families', async t => {
  const any = await opened(t, {})
  const four = await opened(t, { bind: ip('127.0.0.1', 0) })
  t.equal(await any.send('hello', ip('127.0.0.1', four.port)), '', 'an IPv4 destination')
  t.same(await four.next(), { what: 'received', data: 'hello', from: ['127.0.0.1', any.port] })
  t.equal(await four.send('hello', ip('127.0.0.1', any.port)), '')
  t.same(
    await any.next(),
    { what: 'received', data: 'hello', from: ['127.0.0.1', four.port] },
    'is reported as one',
  )
  t.equal(await any.send('here', ip('', four.port)), '', "the host '' is this machine")
  t.match(await four.next(), { data: 'here' })

  await t.test('IPv6', unlessIPv6, async t => {
    const six = await opened(t, { bind: ip('::1', 0) })
    t.equal(await any.send('hello', ip('::1', six.port)), '')
    t.same(await six.next(), { what: 'received', data: 'hello', from: ['::1', any.port] })
    t.equal(await six.send('hello', ip('::1', any.port)), '')
    t.same(await any.next(), { what: 'received', data: 'hello', from: ['::1', six.port] })
    t.equal(await six.send('here', ip('', six.port)), '', "on a socket for IPv6 only, '' is ::1")
    t.match(await six.next(), { data: 'here', from: ['::1', six.port] })
  })
})

t.test('where there is no IPv6, no host means any IPv4 host', async t => {
  // This machine may have IPv6, so the answer of a machine without it is simulated. Everything else
  // is real.
  const { bind } = dgram.Socket.prototype
  t.teardown(() => (dgram.Socket.prototype.bind = bind))
  let code = 'EAFNOSUPPORT'
  dgram.Socket.prototype.bind = function (
    this: dgram.Socket & { type?: string },
    ...args: unknown[]
  ) {
    if (this.type !== 'udp6') return bind.apply(this, args as [dgram.BindOptions])
    this.emit('error', Object.assign(new Error('no IPv6'), { code }))
    return this
  }
  const any = await opened(t, { bind: ip('', 0) })
  t.equal((any.socket.local_address as string[])[0], '0.0.0.0')
  const four = await opened(t, { bind: ip('127.0.0.1', 0) })
  t.equal(await any.send('hello', ip('', four.port)), '')
  t.match(await four.next(), { data: 'hello', from: ['127.0.0.1', any.port] })

  const asked = new Probe({ bind: ip('::', 0) })
  t.same(await asked.next(), { what: 'failed', code }, 'who asked for IPv6 does not get IPv4')
  t.same(await asked.next(), { what: 'closed' })
  code = 'EADDRINUSE'
  const taken = new Probe({ bind: ip('', 0) })
  t.same(await taken.next(), { what: 'failed', code }, 'nor is a port in use taken from IPv4 only')
  t.same(await taken.next(), { what: 'closed' })
})

t.test('connected: to an address, a name, this machine', async t => {
  const server = await opened(t, { bind: ip('', 0) })
  const cases: PacketOptions[] = [
    { connect: ip('127.0.0.1', server.port) },
    { connect: ip('', server.port) },
    { connect: ip('localhost', server.port) },
    { bind: ip('', 0), connect: ip('127.0.0.1', server.port) },
    { bind: ip('127.0.0.1', 0), connect: ip('localhost', server.port) },
    { bind: ip('localhost', 0), connect: ip('127.0.0.1', server.port) },
    { bind: ip('127.0.0.1', 0), connect: ip('', server.port) },
  ]
  if (hasIPv6) {
    cases.push(
      { bind: ip('::', 0), connect: ip('127.0.0.1', server.port) },
      { connect: ip('::1', server.port) },
    )
  }
  for (const options of cases) {
    const client = await opened(t, options)
    t.match(client.socket.remote_address, [/^(127\.0\.0\.1|::1)$/, server.port])
    t.equal(await client.send('hello'), '')
    t.same(await server.next(), {
      what: 'received',
      data: 'hello',
      from: client.socket.local_address,
    })
    t.equal(await server.send('back', endpoint(client.socket.local_address)), '')
    t.same(await client.next(), {
      what: 'received',
      data: 'back',
      from: client.socket.remote_address,
    })
    t.equal(await client.send('x', ip('127.0.0.1', server.port)), 'ERR_SOCKET_DGRAM_IS_CONNECTED')
  }
})

function endpoint(address: SocketAddress | undefined): Endpoint {
  const [host, port] = address as [string, number]
  return ip(host, port)
}

t.test('packets sent before the socket is open leave in order', async t => {
  const server = await opened(t, { bind: ip('127.0.0.1', 0) })
  for (const options of [{}, { connect: ip('127.0.0.1', server.port) }]) {
    const client = new Probe(options)
    t.teardown(() => client.close())
    const to = 'connect' in options ? undefined : ip('127.0.0.1', server.port)
    const sent = Promise.all(['1', '2', '3'].map(data => client.send(data, to)))
    t.same(await client.next(), { what: 'opened' })
    client.socket.send('4', 'utf8', to, () => {})
    t.same(await sent, ['', '', ''])
    for (const data of ['1', '2', '3', '4']) t.match(await server.next(), { data })
  }
})

// On Deno 2.9, what was sent before the first packet had gone left from the last to the first. So
// did what came after some hundred packets in one turn.
t.test('REGRESSION: where a socket cannot tell its queue, packets go one by one', async t => {
  t.intercept(dgram.Socket.prototype, 'getSendQueueSize', { value: undefined })
  const far = await opened(t, { bind: ip('127.0.0.1', 0) })
  const to = ip('127.0.0.1', far.port)
  const near = new Probe({ bind: ip('127.0.0.1', 0) })
  const sent = ['1', '2', '3'].map(data => near.send(data, to))
  await near.next()
  sent.push(near.send('4', to))
  t.same(await Promise.all(sent), ['', '', '', ''])
  await near.send('5', to)
  for (const data of ['1', '2', '3', '4', '5']) t.match(await far.next(), { data })
  const { send } = dgram.Socket.prototype
  let [under, most] = [0, 0]
  t.intercept(dgram.Socket.prototype, 'send', {
    value(this: dgram.Socket, ...how: any[]) {
      most = Math.max(most, ++under)
      const done = how.pop()
      const gone = (error: Error | null): void => (under--, done(error))
      return (send as (...how: any[]) => void).call(this, ...how, gone)
    },
  })
  const many = Array.from({ length: 300 }, (_, n) => `${n}`)
  t.ok((await Promise.all(many.map(data => near.send(data, to)))).every(each => each === ''))
  t.equal(most, 1)
  const late = await opened(t, { bind: ip('127.0.0.1', 0) })
  const dropped = ['1', '2', '3'].map(data => late.send(data, to))
  await Promise.all([near.close(), late.close()])
  t.same((await Promise.all(dropped)).slice(1), ['ECANCELED', 'ECANCELED'])
  t.equal(await late.send('too late', to), 'ECANCELED')
})

// A connected socket of Deno 2.9 receives from everybody.
t.test('REGRESSION: a connected socket hears its peer alone', async t => {
  const sockets: dgram.Socket[] = []
  const { bind } = dgram.Socket.prototype
  t.intercept(dgram.Socket.prototype, 'bind', {
    value(this: dgram.Socket, ...how: Parameters<typeof bind>) {
      sockets.push(this)
      return bind.apply(this, how) as dgram.Socket
    },
  })
  const peer = await opened(t, { bind: ip('127.0.0.1', 0) })
  const near = await opened(t, { connect: ip('127.0.0.1', peer.port) })
  for (const from of [
    { address: '127.0.0.1', port: 1 },
    { address: '127.0.0.2', port: peer.port },
  ])
    sockets[1]!.emit('message', Buffer.from('stranger'), from)
  await peer.send('friend', ip('127.0.0.1', near.port))
  t.match(await near.next(), { what: 'received', data: 'friend' })
})

t.test('packets to a host name', async t => {
  const server = await opened(t, { bind: ip('127.0.0.1', 0) })
  const client = await opened(t, { bind: ip('127.0.0.1', 0) })
  const to = ip('localhost', server.port)
  t.same(await Promise.all([client.send('1', to), client.send('2', to)]), ['', ''])
  t.match(await server.next(), { data: '1' })
  t.match(await server.next(), { data: '2' })

  const lost = await Promise.all([
    client.send('3', ip('nowhere.invalid', 9)),
    client.send('4', ip('nowhere.invalid', 9)),
  ])
  t.match(lost[0], /^(ENOTFOUND|EAI_AGAIN)$/)
  t.equal(lost[1], lost[0])
  const dropped = [client.send('5', to), client.send('6', to)]
  client.socket.destroy()
  t.same(await Promise.all(dropped), ['ECANCELED', 'ECANCELED'])
  await client.close()
})

t.test('a packet that cannot be sent says so in its own done', async t => {
  const four = await opened(t, { bind: ip('127.0.0.1', 0) })
  t.equal(
    await codeOfSend(four.socket, Buffer.alloc(70_000), ip('127.0.0.1', four.port)),
    'EMSGSIZE',
  )
  t.equal(await four.send('x', ip('::1', four.port)), 'EINVAL')
  t.equal(await four.send('x', ip('127.0.0.1', 0)), 'ERR_SOCKET_BAD_PORT')
  t.equal(await four.send('x'), 'ERR_SOCKET_DGRAM_NOT_CONNECTED')
  t.throws(() => four.socket.send('x', 'utf8', { kind: 'unix', path: '/x' }, () => t.fail()), {
    code: 'ERR_INVALID_ADDRESS',
  })
  const connected = await opened(t, { connect: ip('127.0.0.1', four.port) })
  t.equal(await codeOfSend(connected.socket, Buffer.alloc(70_000)), 'EMSGSIZE')
  t.same(four.names, ['opened'])
  t.same(connected.names, ['opened'])
})

// Node reports an ICMP refusal as an 'error' event, which ends the process if nothing listens.
t.test('a refused packet is reported as refused, and the socket goes on', async t => {
  const port = await deadPort()
  const client = await opened(t, { connect: ip('127.0.0.1', port) })
  for (let i = 0; i < 3; i++) {
    t.equal(await client.send('x'), '')
    t.same(await client.next(), { what: 'refused', code: 'ECONNREFUSED' })
  }
  const server = await opened(t, { bind: ip('127.0.0.1', port) })
  t.equal(await client.send('now'), '')
  t.match(await server.next(), { data: 'now' })
})

// The second of two sends in one turn got the refusal of the first as its own error, and was not
// sent at all.
t.test('a send that meets the refusal of an earlier packet is not lost', async t => {
  const client = await opened(t, { connect: ip('127.0.0.1', await deadPort()) })
  const sent = await Promise.all(['1', '2', '3', '4'].map(data => client.send(data)))
  t.same(sent, ['', '', '', ''])
  await client.next()
  await client.close()
  const refused = client.names.filter(name => name === 'refused').length
  t.ok(refused >= 1 && refused <= 4, `${refused} of 4 were refused`)
  t.same(client.names, ['opened', ...Array<string>(refused).fill('refused'), 'closed'])
})

t.test('destroyed between sends that are refused', async t => {
  const client = await opened(t, { connect: ip('127.0.0.1', await deadPort()) })
  const codes: (string | undefined)[] = []
  const done = (error: SystemError | null) => {
    codes.push(error?.code)
    client.socket.destroy()
  }
  client.socket.send('1', 'utf8', undefined, done)
  client.socket.send('2', 'utf8', undefined, done)
  await client.close()
  t.same(codes, [undefined, 'ECANCELED'])
  t.same(client.names, ['opened', 'closed'])
})

t.test('what cannot be opened: failed, then what waited is told, then closed', async t => {
  const taken = await opened(t, { bind: ip('127.0.0.1', 0) })
  const cases: [PacketOptions, RegExp][] = [
    [{ bind: ip('127.0.0.1', taken.port) }, /^EADDRINUSE$/],
    [{ bind: ip('203.0.113.1', 0) }, /^EADDRNOTAVAIL$/],
    [{ bind: ip('nowhere.invalid', 0) }, /^(ENOTFOUND|EAI_AGAIN)$/],
    [{ connect: ip('nowhere.invalid', 9) }, /^(ENOTFOUND|EAI_AGAIN)$/],
    [{ connect: ip('127.0.0.1', 0) }, /^ERR_SOCKET_BAD_PORT$/],
    [{ bind: ip('127.0.0.1', 0), connect: ip('::1', 9) }, /^EINVAL$/],
    [{ bind: ip('127.0.0.1', 0), ttl: 300 }, /^EINVAL$/],
  ]
  for (const [options, code] of cases) {
    const probe = new Probe(options)
    const order: string[] = []
    const waiting = probe
      .send('x', ip('127.0.0.1', 9))
      .then(code => order.push(code, ...probe.names))
    t.match(await probe.next(), { what: 'failed', code })
    t.same(await probe.next(), { what: 'closed' })
    await waiting
    t.same(order.slice(0, 2), ['ECANCELED', 'failed'])
    t.same(probe.names, ['failed', 'closed'])
  }
})

t.test('destroy at any time: only closed follows', async t => {
  const early = new Probe({ bind: ip('127.0.0.1', 0) })
  const waiting = early.send('x', ip('127.0.0.1', 9))
  early.socket.destroy()
  early.socket.destroy()
  t.same(early.reports, [])
  t.equal(await waiting, 'ECANCELED')
  t.same(await early.next(), { what: 'closed' })
  t.equal(await early.send('x', ip('127.0.0.1', 9)), 'ECANCELED', 'after destroy')

  const unresolved = new Probe({ bind: ip('nowhere.invalid', 0) })
  unresolved.socket.destroy()
  t.same(await unresolved.next(), { what: 'closed' })

  const open = await opened(t, { bind: ip('127.0.0.1', 0) })
  const sent = open.send('to itself', ip('127.0.0.1', open.port))
  open.socket.destroy()
  t.equal(await sent, '', 'what the system has taken is sent')
  await open.close()
  t.same(open.names, ['opened', 'closed'])
  for (const probe of [early, open]) {
    t.throws(() => probe.socket.configure({ ttl: 3 }), { code: 'ERR_INVALID_STATE' })
    t.throws(() => probe.socket.join('239.255.0.1'), { code: 'ERR_INVALID_STATE' })
    t.throws(() => probe.socket.leave('239.255.0.1'), { code: 'ERR_INVALID_STATE' })
  }

  // While it connects: the 'connect' of node:dgram is on its way then, and is emitted even by a
  // closed socket.
  const connecting = new Probe({ connect: ip('127.0.0.1', open.port) })
  const { connect } = dgram.Socket.prototype
  t.teardown(() => (dgram.Socket.prototype.connect = connect))
  dgram.Socket.prototype.connect = function (this: dgram.Socket, ...args: unknown[]) {
    connect.apply(this, args as [number, () => void])
    connecting.socket.destroy()
  }
  t.same(await connecting.next(), { what: 'closed' })
  t.same(connecting.names, ['closed'])
})

t.test('sockets without a sink are silent', async t => {
  const server = await opened(t, { bind: ip('127.0.0.1', 0) })
  const silent = openPackets({ connect: ip('127.0.0.1', server.port) })
  t.equal(await codeOfSend(silent, 'x'), '')
  t.match(await server.next(), { data: 'x' })
  await server.send('x', endpoint(silent.local_address))
  silent.destroy()
  const failing = openPackets({ bind: ip('127.0.0.1', server.port) })
  t.equal(await codeOfSend(failing, 'x'), 'ECANCELED')
})

t.test('addresses that are paths are refused', async t => {
  const path: Endpoint = { kind: 'unix', path: '/x' }
  t.throws(() => openPackets({ bind: path }), { code: 'ERR_INVALID_ADDRESS' })
  t.throws(() => openPackets({ connect: path }), { code: 'ERR_INVALID_ADDRESS' })
})

t.test('settings', async t => {
  const all = {
    broadcast: true,
    ttl: 7,
    multicast_ttl: 3,
    multicast_loopback: true,
    multicast_interface: '127.0.0.1',
  }
  const a = await opened(t, { bind: ip('127.0.0.1', 0), reuse_address: true, ...all })
  a.socket.configure(all)
  t.throws(() => a.socket.configure({ ttl: 0 }), { code: 'EINVAL' })
  t.throws(() => a.socket.configure({ multicast_interface: 'nonsense' }), { code: 'EINVAL' })
  t.same(a.names, ['opened'], 'what the system refuses does not end an open socket')

  // reuse_address: two sockets on one port.
  const b = await opened(t, { bind: ip('127.0.0.1', a.port), reuse_address: true })
  t.equal(b.port, a.port)

  const unsupported = { code: 'ERR_UNSUPPORTED_OPTION' }
  for (const option of [{ ttl: 7 }, { multicast_ttl: 3 }, { multicast_loopback: false }]) {
    t.throws(() => openPackets(option), unsupported, 'they would work for one family of two')
    t.throws(() => openPackets({ bind: ip('', 0), ...option }), unsupported)
  }
  const dual = await opened(t, { broadcast: true })
  t.throws(() => dual.socket.configure({ ttl: 7 }), unsupported)
  dual.socket.configure({ broadcast: false })
  await opened(t, { ttl: 7, connect: ip('127.0.0.1', a.port) })
})

t.test('broadcast is refused until it is allowed', async t => {
  const client = await opened(t, { bind: ip('127.0.0.1', 0) })
  const everybody = ip('127.255.255.255', 9)
  t.equal(await client.send('x', everybody), 'EACCES')
  client.socket.configure({ broadcast: true })
  t.equal(await client.send('x', everybody), '')
})

t.test('multicast, on the loopback interface', async t => {
  const group = '239.255.77.1'
  const member = new Probe({ bind: ip('0.0.0.0', 0) })
  t.teardown(() => member.close())
  // Before it is open: joined when it is bound.
  member.socket.join(group, '127.0.0.1')
  const first = await member.next()
  if (first.what === 'failed') {
    t.pass('joined', { skip: `this machine refuses multicast: ${first.code}` })
    return
  }
  const loopback = { multicast_interface: '127.0.0.1', multicast_loopback: true, multicast_ttl: 1 }
  const sender = await opened(t, { bind: ip('0.0.0.0', 0), ...loopback })
  const code = await sender.send('all', ip(group, member.port))
  if (code === '') t.match(await member.next(), { what: 'received', data: 'all' })
  else t.pass('delivered', { skip: `this machine cannot send to a group: ${code}` })
  member.socket.leave(group, '127.0.0.1')
  t.throws(() => member.socket.leave(group, '127.0.0.1'), { code: 'EADDRNOTAVAIL' }, 'left already')
  t.throws(() => member.socket.join('127.0.0.1'), /addMembership/, 'no group')
})

t.test('multicast of one source', async t => {
  const group = '232.255.77.1'
  const member = new Probe({ bind: ip('0.0.0.0', 0) })
  t.teardown(() => member.close())
  member.socket.join(group, '127.0.0.1', '127.0.0.1')
  const first = await member.next()
  if (first.what === 'failed') {
    t.pass('joined', { skip: `this machine refuses multicast: ${first.code}` })
    return
  }
  const options = { multicast_interface: '127.0.0.1', multicast_loopback: true }
  const [right, wrong] = await Promise.all([
    opened(t, { bind: ip('127.0.0.1', 0), ...options }),
    opened(t, { bind: ip('127.0.0.2', 0), ...options }),
  ])
  const codes = [
    await wrong.send('wrong', ip(group, member.port)),
    await right.send('right', ip(group, member.port)),
  ]
  if (codes.join('') === '') t.match(await member.next(), { what: 'received', data: 'right' })
  else t.pass('delivered', { skip: `this machine cannot send to a group: ${codes}` })
  member.socket.leave(group, '127.0.0.1', '127.0.0.1')
  t.throws(
    () => member.socket.leave(group, '127.0.0.1', '127.0.0.1'),
    /dropSourceSpecificMembership/,
  )
})

t.test('IPv6 alone', unlessIPv6, async t => {
  const six = await opened(t, { ipv6_only: true, ttl: 7 })
  const four = await opened(t, { bind: ip('127.0.0.1', six.port) })
  t.equal(four.port, six.port, 'nobody is bound there')
  t.throws(() => openPackets({ ipv6_only: true, bind: ip('127.0.0.1', 0) }), {
    code: 'ERR_UNSUPPORTED_OPTION',
  })
  const peer = await opened(t, { ipv6_only: true, connect: ip('', six.port) })
  t.equal(await peer.send('hi'), '')
  t.match(await six.next(), { what: 'received', data: 'hi', from: ['::1', peer.port] })
})
