/** The settings of a StreamServer: defaults and refusals. */

import { BlockList } from 'node:net'
import t from 'tap'
import { Client, Connection } from '../../../src/channels/basic.ts'
import { SERVER_CHECKS, SERVER_DEFAULTS } from '../../../src/channels/servers/server-settings.ts'
import { StreamServer } from '../../../src/channels/servers/stream-server.ts'
import { Stream } from '../../../src/channels/streams/stream.ts'
import { checkTables } from '../settings-kit.ts'

checkTables(SERVER_CHECKS, SERVER_DEFAULTS, [
  [
    'ConnectionClass',
    [null, class {}, StreamServer, 'Connection', () => {}, Client, class extends Client {}],
    /Stream, or a class that extends it, as Connection does|one of connections, not a Client/,
  ],
  ['max_connections', [-1, 1.5, '5'], /at least 0/],
  ['max_connections_per_address', [-1, NaN], /at least 0/],
  [
    'block_list',
    [undefined, {}, 'x', []],
    /a BlockList \(an object with check\(host, family\)\), or null/,
  ],
  ['backlog', [0, 1.5], /at least 1/],
  ['proxy_protocol', ['yes', true, undefined], /'require', 'optional' or null/],
  ['proxy_trusted', [[], ['127.0.0.1']], /a BlockList/],
  ['proxy_timeout', [0, '1'], /milliseconds/],
  ['tls', ['cert', 5], /TLS options/],
  ['end_timeout', [0, NaN], /milliseconds/],
])

t.test('valid values', async t => {
  const list = new BlockList()
  const own = { check: () => true }
  for (const [name, value] of [
    ['ConnectionClass', Connection],
    ['ConnectionClass', Stream],
    ['max_connections', 0],
    ['max_connections_per_address', Infinity],
    ['block_list', list],
    ['proxy_trusted', own],
    ['backlog', 1],
    ['proxy_protocol', 'require'],
    ['proxy_protocol', 'optional'],
    ['proxy_timeout', Infinity],
    ['tls', {}],
    ['end_timeout', 0.5],
  ] as const)
    t.equal(SERVER_CHECKS[name](name, value), value, `${name} = ${String(value)}`)
})
