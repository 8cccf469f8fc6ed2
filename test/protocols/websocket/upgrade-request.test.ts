/** What the program sees of a request, and what it may answer. */

import t from 'tap'
import {
  type Answer,
  checkHeaders,
  UpgradeRequest,
} from '../../../src/protocols/websocket/upgrade-request.ts'
import { thrown } from '../../kit.ts'

function made(): { request: UpgradeRequest; answers: Answer[] } {
  const answers: Answer[] = []
  const request = new UpgradeRequest(
    {
      path: '/chat',
      query: 'a=1&b=%20',
      host: 'here',
      key: 'k',
      protocols: ['x', 'y'],
      fields: new Map([
        ['host', ['here']],
        ['origin', ['http://a']],
        ['cookie', ['c', 'd']],
      ]),
    },
    { remote_address: ['there', 5] },
    answer => answers.push(answer),
  )
  return { request, answers }
}

t.test('what it tells', async t => {
  const { request } = made()
  t.match(request, {
    path: '/chat',
    headers: { host: 'here', cookie: 'c; d' },
    origin: 'http://a',
    protocols: ['x', 'y'],
    remote_address: ['there', 5],
    tls: undefined,
    answered: false,
  })
  t.equal(request.query.get('b'), ' ')
  t.equal(request.query, request.query)
  t.equal(request.headers, request.headers)
})

t.test('it is answered once', async t => {
  const accepted = made()
  accepted.request.accept({ protocol: 'y', headers: { 'Set-Cookie': 'a' } })
  t.equal(
    thrown(() => accepted.request.accept()),
    'ERR_INVALID_STATE',
  )
  t.equal(
    thrown(() => accepted.request.refuse()),
    'ERR_INVALID_STATE',
  )
  t.same(accepted.answers, [{ kind: 'accept', protocol: 'y', headers: { 'Set-Cookie': 'a' } }])
  const plain = made()
  plain.request.accept()
  t.same(plain.answers, [{ kind: 'accept', protocol: undefined, headers: {} }])
  const none = made()
  none.request.accept({ protocol: '' })
  t.same(none.answers, [{ kind: 'accept', protocol: '', headers: {} }])
  const refused = made()
  refused.request.refuse()
  t.same(refused.answers, [{ kind: 'refuse', status: 403, headers: {}, body: '' }])
  t.equal(refused.request.answered, true)
})

t.test('invalid answers are none', async t => {
  const { request, answers } = made()
  const calls = [
    () => request.accept({ protocol: 'z' }),
    () => request.accept({ headers: { 'a b': 'c' } }),
    () => request.accept({ headers: { Upgrade: 'c' } }),
    () => request.accept({ headers: { 'sec-websocket-accept': 'c' } }),
    () => request.accept({ headers: { a: 'b\r\nc: d' } }),
    () => request.accept({ headers: { a: 5 as unknown as string } }),
    () => request.accept({ headers: null as unknown as Record<string, string> }),
    // These were accepted, and the subprotocol that was meant was not chosen.
    () => request.accept({ protocl: 'y' } as never),
    () => request.accept('y' as never),
    () => request.accept(null as never),
    () => request.refuse(101),
    () => request.refuse(200),
    () => request.refuse(600),
    () => request.refuse(400.5),
    () => request.refuse(400, { Connection: 'x' }),
    () => request.refuse(400, {}, 5 as unknown as string),
  ]
  for (const call of calls) t.equal(thrown(call), 'ERR_INVALID_ARGUMENT', String(call))
  t.same([answers, request.answered], [[], false])
  t.same(checkHeaders('call', { a: 'b' }), { a: 'b' })
})
