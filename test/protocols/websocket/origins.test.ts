/** Which pages may connect. */

import t from 'tap'
import { checkOrigins, mayConnect, type Origins } from '../../../src/protocols/websocket/origins.ts'
import { thrown } from '../../kit.ts'

t.test('a page of the same host, of another one, and no page at all', async t => {
  const rows: [Origins, string | undefined, string, boolean][] = [
    ['same', undefined, 'a', true],
    ['same', 'http://a', 'a', true],
    ['same', 'https://A', 'a:443', true],
    ['same', 'https://a:443', 'a', true],
    ['same', 'http://a:80', 'a', true],
    ['same', 'http://a:8080', 'a:8080', true],
    ['same', 'http://[::1]:81', '[::1]:81', true],
    ['same', 'http://a', 'a:8080', false],
    ['same', 'http://a:443', 'a', false],
    ['same', 'http://a.b', 'a', false],
    ['same', 'null', 'a', false],
    ['same', 'file://', 'a', false],
    ['same', 'http://a/b', 'a', false],
    ['*', 'http://b', 'a', true],
    [['http://b', 'null'], 'http://B', 'a', true],
    [['http://b', 'null'], 'null', 'a', true],
    [['http://b'], 'http://a', 'a', false],
    [[], undefined, 'a', true],
    [origin => origin.endsWith('.b'), 'http://a.b', 'a', true],
    [origin => origin.endsWith('.b'), 'http://a.c', 'a', false],
  ]
  for (const [origins, origin, host, may] of rows)
    t.equal(mayConnect(origins, origin, host), may, `${String(origins)}: ${origin} to ${host}`)
})

t.test('what the setting may be', async t => {
  const isB = (): boolean => true
  for (const value of ['same', '*', ['http://a:1', 'null', 'file://'], [], isB])
    t.equal(checkOrigins('origins', value), value)
  // A host alone was accepted, and then every page of it was refused.
  for (const value of ['http://a', true, [1], null, undefined, ['a.org'], ['https://a/']])
    t.equal(
      thrown(() => checkOrigins('origins', value)),
      'ERR_INVALID_ARGUMENT',
    )
})

// An async function let every page in: its promise is neither false nor undefined.
t.test('a function that does not say true or false', async t => {
  const broken = () => Promise.reject(new Error('not unhandled'))
  for (const later of [async () => false, broken] as unknown as Origins[])
    t.throws(() => mayConnect(later, 'http://b', 'a'), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /true or false: what takes time is decided in on_upgrade/,
    })
})
