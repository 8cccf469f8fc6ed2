import t from 'tap'
import {
  formatAddress,
  parseAddress,
  parseListenAddress,
  socketAddress,
} from '../../src/core/address.ts'
import type { Address } from '../../src/types.ts'

t.test('every form that an address may have', async t => {
  const ip = (host: string, port: number) => ({ kind: 'ip', host, port })
  const unix = (path: string) => ({ kind: 'unix', path })
  const rows: [address: Address, endpoint: object][] = [
    [80, ip('', 80)],
    [0, ip('', 0)],
    [65535, ip('', 65535)],
    [['', 8080], ip('', 8080)],
    [['example.com', 80], ip('example.com', 80)],
    [['::1', 2], ip('::1', 2)],
    [['[::1]', 2], ip('::1', 2)],
    // One bracket is no brackets: without it, a server would listen everywhere.
    [['[', 2], ip('[', 2)],
    [{ port: 80 }, ip('', 80)],
    [{ host: '8.8.8.8', port: 53 }, ip('8.8.8.8', 53)],
    [{ host: 'fe80::1%eth0', port: 1 }, ip('fe80::1%eth0', 1)],
    ['/run/sluice.sock', unix('/run/sluice.sock')],
    ['relative.sock', unix('relative.sock')],
    ['./80', unix('./80')],
    ['/tmp/a:80', unix('/tmp/a:80')],
    ['a:b', unix('a:b')],
    ['\0abstract', unix('\0abstract')],
    ['\\\\.\\pipe\\x:1', unix('\\\\.\\pipe\\x:1')],
    [{ path: '80' }, unix('80')],
    [{ path: 'localhost:80' }, unix('localhost:80')],
    ['x'.repeat(107), unix('x'.repeat(107))],
    ['example.org/x', unix('example.org/x')],
    ['./localhost', unix('./localhost')],
    ['my file', unix('my file')],
    ['app.socket', unix('app.socket')],
    ['\0localhost', unix('\0localhost')],
    [{ path: 'localhost' }, unix('localhost')],
    [{ path: 'tcp://h:1' }, unix('tcp://h:1')],
    [{ host: 'h', port: 1, path: undefined } as never, ip('h', 1)],
    [`/${'é'.repeat(53)}`, unix(`/${'é'.repeat(53)}`)],
  ]
  for (const [address, endpoint] of rows)
    t.same(parseAddress(address), endpoint, JSON.stringify(address))
  t.same(parseAddress(Object.freeze(['h', 1] as const)), ip('h', 1))
  // It was any host.
  t.same(parseAddress(['[]', 1]), ip('[]', 1))
})

t.test('everything else is refused, with the reason', async t => {
  const rows: [address: unknown, why: RegExp][] = [
    [undefined, /^not an address; got undefined\. An address is a port, \[host, port\]/],
    [null, /^not an address/],
    [true, /^not an address/],
    [80n, /^not an address; got 80n/],
    [() => 80, /^not an address; got function/],
    [Symbol('x'), /^not an address/],
    [-1, /^the port must be an integer from 0 to 65535; got -1/],
    [65536, /got 65536/],
    [80.5, /got 80\.5/],
    [NaN, /got NaN/],
    [Infinity, /got Infinity/],
    [[], /^an address as an array is \[host, port\]; got \[\]/],
    [['h'], /^an address as an array/],
    [['h', 1, 2], /^an address as an array/],
    [['h', 80, 0, 0], /as an array/],
    [[1, 2], /^the host must be a string; got 1/],
    [['h', '80'], /^the port must be.*got "80"/],
    [['h', undefined], /^the port must be/],
    [['a\0b', 80], /zero character/],
    [{}, /^the port must be.*got an object/],
    [{ host: 'h' }, /^the port must be/],
    [{ host: null, port: 80 }, /^the host must be a string; got null/],
    [{ port: '80' }, /not a string: use Number\(port\); got "80"/],
    [new URL('tcp://127.0.0.1:80'), /a URL is not an address.*Number\(url\.port\)/],
    [new Map(), /^the port must be.*got an object \(Map\)/],
    [{ path: '/a', port: 80 }, /^an address has a path or a port, not both/],
    [{ path: '/a', host: 'h' }, /^an address has a path or a port, not both/],
    ['', /^the path of a unix socket must be a non-empty string/],
    [{ path: '' }, /must be a non-empty string/],
    [{ path: 5 }, /must be a non-empty string; got 5/],
    [{ path: null }, /got null/],
    ['80', /^this looks like a port or host:port.*\(if it is a path, use \{ path \}\); got "80"/],
    ['localhost:80', /looks like a port/],
    ['::1:80', /looks like a port/],
    [':80', /looks like a port/],
    ['tcp://127.0.0.1:4040/x', /^this is a URL.*use \{ path \}/],
    ['ws://h', /this is a URL/],
    ['localhost', /^this looks like a host without a port: give \[host, port\]/],
    ['redis', /looks like a host/],
    ['127.0.0.1', /looks like a host/],
    ['example.org', /looks like a host/],
    ['example.org.', /looks like a host/],
    ['fe80::abcd%eth0', /looks like a host/],
    ['[::a]', /looks like a host/],
    ['a\0b', /zero character/],
    ['\0a\0', /zero character/],
    [{ path: 'a\0' }, /zero character/],
    ['x'.repeat(108), /at most 107 bytes/],
    [`/${'é'.repeat(54)}`, /at most 107 bytes/],
    [{ path: '€'.repeat(36) }, /at most 107 bytes/],
  ]
  for (const [address, why] of rows) {
    t.throws(() => parseAddress(address as Address), {
      name: 'InvalidAddressError',
      code: 'ERR_INVALID_ADDRESS',
      message: why,
    })
  }
})

// `listen({ port, hostname: '127.0.0.1' })`, as http and Bun spell it, listened on every interface.
t.test('REGRESSION: a key that does not exist is refused, with the nearest one', async t => {
  const rows: [address: object, why: RegExp][] = [
    [{ port: 80, hostname: 'h' }, /^an address has no key "hostname" \(did you mean host\?\)/],
    [{ port: 80, Host: 'h' }, /"Host" \(did you mean host\?\)/],
    [{ prot: 80, host: 'h' }, /"prot" \(did you mean port\?\)/],
    [{ port: 80, address: 'h' }, /"address" \(did you mean host\?\)/],
    [{ port: 80, exclusive: true }, /"exclusive" \(there are: host, port, path\)/],
    [{ port: 80, hostname: undefined }, /"hostname"/],
    [{ path: '/a', pth: '/b' }, /"pth" \(did you mean path\?\)/],
    [
      new (class {
        port = 80
        family = 4
      })(),
      /"family" \(there are/,
    ],
  ]
  for (const [address, message] of rows)
    t.throws(() => parseAddress(address as Address), { code: 'ERR_INVALID_ADDRESS', message })
  class Place {
    get port(): number {
      return 80
    }
  }
  t.same(parseAddress(new Place()), { kind: 'ip', host: '', port: 80 }, 'accessors are fine')
})

t.test('where a server listens: an address, or a descriptor', async t => {
  t.same(parseListenAddress({ fd: 3 }), { kind: 'descriptor', fd: 3 })
  t.same(parseListenAddress({ port: 80 }), { kind: 'ip', host: '', port: 80 })
  t.same(parseListenAddress('/a'), { kind: 'unix', path: '/a' })
  const rows: [address: unknown, why: RegExp][] = [
    [null, /^not an address; got null/],
    [{ fd: -1 }, /^the fd must be a descriptor, an integer of at least 0; got -1/],
    [{ fd: 2 ** 31 }, /^the fd must be/],
    [{ fd: '3' }, /^the fd must be .* got "3"/],
    [{ fd: 3, port: 80 }, /^an address has an fd or other keys, not both/],
    [{ fb: 3 }, /"fb" \(there are: host, port, path, fd\)/],
  ]
  for (const [address, message] of rows)
    t.throws(() => parseListenAddress(address as never), { code: 'ERR_INVALID_ADDRESS', message })
  t.throws(() => parseAddress({ fd: 3 } as never), { message: /no key "fd"/ }, 'to listen only')
})

t.test('an address as sluice reports it', async t => {
  t.same(socketAddress('127.0.0.1', 80), ['127.0.0.1', 80])
  t.same(socketAddress('::1', 80), ['::1', 80])
  t.same(socketAddress('::ffff:1.2.3.4', 80), ['1.2.3.4', 80], 'IPv4 on a socket of both families')
  t.same(socketAddress('::FFFF:1.2.3.4', 80), ['1.2.3.4', 80])
  t.same(socketAddress('::ffff:1.2.3.4.example', 80), ['::ffff:1.2.3.4.example', 80])
  t.same(socketAddress('::ffff:102:304', 80), ['::ffff:102:304', 80])
})

t.test('an address as messages show it', async t => {
  t.equal(formatAddress(['127.0.0.1', 80]), '127.0.0.1:80')
  t.equal(formatAddress(['::1', 80]), '[::1]:80')
  t.equal(formatAddress('/run/a.sock'), '/run/a.sock')
  t.equal(formatAddress('\0abstract'), '@abstract')
  t.equal(formatAddress(''), '(unnamed unix socket)')
  t.equal(formatAddress(undefined), '(no address)')
  t.equal(formatAddress(parseAddress(8080)), ':8080')
  t.equal(formatAddress(parseAddress(['::1', 80])), '[::1]:80')
  t.equal(formatAddress(parseAddress('/run/a.sock')), '/run/a.sock')
})
