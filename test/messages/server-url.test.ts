import t from 'tap'
import { serverUrl } from '../../src/messages/server-url.ts'
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
