import t from 'tap'
import { checkUnlimited, hasConnections } from '../../../src/messages/prefixes/below.ts'
import type { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { fault, stage } from '../kit.ts'

stage(t, 'packets have no connections', async (t, { context }) => {
  for (const url of ['udp://127.0.0.1:1', 'deflate+udp://127.0.0.1:1', 'mudp://127.0.0.1:1'])
    t.notOk(hasConnections(context.init(url)), url)
  for (const url of ['tcp://127.0.0.1:1', 'mem://', 'null://udp'])
    t.ok(hasConnections(context.init(url)), url)
})

stage(t, 'a limit below a server', async (t, { context }) => {
  const check = (url: string) => checkUnlimited(context.init(url) as Prefix)
  check('filter+deflate+mem://;messages=1')
  t.match(
    fault(() => check('filter+deflate+rate+mem://;messages=1;speed=1kb')),
    'rate+ must come first: rate+filter+deflate+mem',
  )
})
