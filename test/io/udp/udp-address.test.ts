/** Hosts, addresses and families of packet sockets. */

import t from 'tap'
import {
  ipEndpoint,
  literal,
  lookUpNothing,
  planFor,
  reportedAddress,
} from '../../../src/io/udp/udp-address.ts'

t.test('what is opened for which hosts', async t => {
  const cases: [local: string, peer: string | undefined, plan: object][] = [
    ['', undefined, { family: 0, local: '::', peer: undefined }],
    ['', '127.0.0.1', { family: 4, local: '0.0.0.0', peer: '127.0.0.1' }],
    ['', '', { family: 4, local: '0.0.0.0', peer: '127.0.0.1' }],
    ['', '::1', { family: 6, local: '::', peer: '::1' }],
    ['::', undefined, { family: 0, local: '::', peer: undefined }],
    ['::', '127.0.0.1', { family: 0, local: '::', peer: '::ffff:127.0.0.1' }],
    ['::1', undefined, { family: 6, local: '::1', peer: undefined }],
    ['127.0.0.1', '', { family: 4, local: '127.0.0.1', peer: '127.0.0.1' }],
    ['127.0.0.1', 'localhost', { family: 4, local: '127.0.0.1', peer: '127.0.0.1' }],
    ['localhost', '127.0.0.1', { family: 4, local: '127.0.0.1', peer: '127.0.0.1' }],
  ]
  for (const [local, peer, plan] of cases)
    t.strictSame(await planFor(local, peer), plan, `${local || 'any'} to ${peer ?? 'nobody'}`)
  const six: [local: string, peer: string | undefined, plan: object][] = [
    ['', undefined, { family: 6, local: '::', peer: undefined }],
    ['::', undefined, { family: 6, local: '::', peer: undefined }],
    ['', '', { family: 6, local: '::', peer: '::1' }],
    ['::1', '', { family: 6, local: '::1', peer: '::1' }],
  ]
  for (const [local, peer, plan] of six)
    t.strictSame(await planFor(local, peer, 6), plan, `IPv6: ${local || 'any'} to ${peer}`)
  await t.rejects(planFor('nowhere.invalid', undefined), { code: /^(ENOTFOUND|EAI_AGAIN)$/ })
})

t.test('a host as a socket takes it', async t => {
  t.equal(literal('1.2.3.4', 4), '1.2.3.4')
  t.equal(literal('1.2.3.4', 6), '::ffff:1.2.3.4')
  t.equal(literal('1.2.3.4', 0), '::ffff:1.2.3.4')
  t.equal(literal('::1', 4), '::1')
  t.equal(literal('', 6), '::1')
  t.equal(literal('', 4), '127.0.0.1')
  t.equal(literal('', 0), '::ffff:127.0.0.1')
  t.equal(literal('localhost', 4), undefined)
})

t.test('an address as it is reported', async t => {
  t.strictSame(reportedAddress({ address: '::ffff:1.2.3.4', port: 5 }), ['1.2.3.4', 5])
  t.strictSame(reportedAddress({ address: '::ffff:1', port: 5 }), ['::ffff:1', 5])
  t.strictSame(reportedAddress({ address: '1.2.3.4', port: 5 }), ['1.2.3.4', 5])
})

t.test('a path is no address', async t => {
  t.same(ipEndpoint({ kind: 'ip', host: 'x', port: 1 }), { kind: 'ip', host: 'x', port: 1 })
  t.throws(() => ipEndpoint({ kind: 'unix', path: '/x' }), { code: 'ERR_INVALID_ADDRESS' })
})

t.test('the lookup that looks up nothing', async t => {
  lookUpNothing('1.2.3.4', {}, (error, address, family) =>
    t.strictSame([error, address, family], [null, '1.2.3.4', 0]),
  )
})
