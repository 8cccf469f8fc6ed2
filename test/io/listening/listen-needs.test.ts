/** What the options of listen need. What they do: listener.test.ts and socket-options.test.ts. */

import t from 'tap'
import {
  checkNeeds,
  ipv6OnlyNeeds,
  modeNeeds,
  reusePortNeeds,
} from '../../../src/io/listening/listen-needs.ts'
import type { ListenEndpoint, ListenOptions } from '../../../src/transport.ts'
import { thrown } from '../../kit.ts'

const ip = (host: string): ListenEndpoint => ({ kind: 'ip', host, port: 0 })
const unix = (path: string): ListenEndpoint => ({ kind: 'unix', path })
const FD: ListenEndpoint = { kind: 'descriptor', fd: 3 }

t.test('who can share a port', async t => {
  const cases: [version: string, platform: string, can: boolean][] = [
    ['20.20.2', 'linux', false],
    ['22.11.0', 'linux', false],
    ['22.12.0', 'linux', true],
    ['23.0.0', 'linux', false],
    ['23.1.0', 'linux', true],
    ['24.0.0', 'linux', true],
    ['26.10.0', 'freebsd', true],
    ['26.10.0', 'darwin', false],
    ['26.10.0', 'win32', false],
  ]
  for (const [version, platform, can] of cases)
    t.equal(
      reusePortNeeds(ip(''), { node: version }, platform) === undefined,
      can,
      `${version} on ${platform}`,
    )
  t.equal(reusePortNeeds(unix('/x')), 'a port, and a unix socket has none')
  t.match(reusePortNeeds(FD), /^a port: a socket that exists/)
})

t.test('what is IPv6 only', async t => {
  for (const host of ['', '::', '::1', 'localhost']) t.equal(ipv6OnlyNeeds(ip(host)), undefined)
  t.equal(ipv6OnlyNeeds(ip('127.0.0.1')), 'an IPv6 host, not 127.0.0.1')
  // It was ignored on Deno without a word: the server was open to IPv4.
  const deno = { node: '26.3.0', deno: '2.9.6' }
  for (const host of ['', '::', '0:0::0'])
    t.match(ipv6OnlyNeeds(ip(host), deno), /^one IPv6 address on Deno 2.9.6/)
  for (const host of ['::1', 'localhost']) t.equal(ipv6OnlyNeeds(ip(host), deno), undefined)
  for (const at of [unix('/x'), FD]) t.equal(ipv6OnlyNeeds(at), 'a host and a port')
})

t.test('what has a mode', async t => {
  t.equal(modeNeeds(unix('/x'), 'linux'), undefined)
  t.match(modeNeeds(unix('/x'), 'win32'), /Windows has none$/)
  t.match(modeNeeds(unix('\0x')), /^a path: an abstract unix socket/)
  for (const at of [ip(''), FD]) t.equal(modeNeeds(at), 'the path of a unix socket')
})

t.test('all of them', async t => {
  const code = (at: ListenEndpoint, options: Omit<ListenOptions, 'backlog'>) =>
    thrown(() => checkNeeds(at, { backlog: 1, ...options }))
  t.doesNotThrow(() => checkNeeds(FD, { backlog: 1, reuse_port: false, ipv6_only: false }))
  t.doesNotThrow(() => checkNeeds(unix('/x'), { backlog: 1, mode: 0 }))
  for (const options of [{ reuse_port: true }, { ipv6_only: true }, { mode: 0o600 }])
    t.equal(code(FD, options), 'ERR_UNSUPPORTED_OPTION')
})
