import t from 'tap'
import { peerUrl, serverUrl } from '../../src/messages/server-url.ts'
import { Url } from '../../src/messages/url.ts'
import { thrown } from '../kit.ts'

t.test('mode=server need not be said', async t => {
  const entries = (...given: Parameters<typeof serverUrl>) =>
    [...serverUrl(...given).entries].map(([key, { value }]) => `${key}=${value}`).join()
  t.equal(entries('tcp://a:1;frame=line'), 'frame=line,mode=server')
  t.equal(entries('tcp://a:1;mode=server'), 'mode=server')
  const more = (): string => ';size=1;name=a'
  t.equal(entries('mem://;name=b', more), 'name=b,mode=server,size=1')
  for (const text of ['tcp://a:1;mode=client', 'tcp'])
    t.equal(
      thrown(() => serverUrl(text)),
      'ERR_INVALID_URL',
    )
})

t.test('a channel with one peer is no server', async t => {
  const url = Url.parse('tcp://a:1;mode=client')
  t.equal(peerUrl('url', url), url)
  t.equal(`${peerUrl('url', 'mem://;name=a')}`, 'mem://;name=a')
  t.throws(() => peerUrl('url', 'tcp://a:1;mode=server'), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^url must be one with one peer, no server; got "tcp:/,
  })
  t.equal(
    thrown(() => peerUrl('url', 'tcp')),
    'ERR_INVALID_URL',
  )
})
