import t from 'tap'
import { MemPair } from '../../../src/messages/carriers/mem-pair.ts'
import { MemServer } from '../../../src/messages/carriers/mem-server.ts'
import { fault, stage } from '../kit.ts'

stage(t, 'which of them', async (t, { context }) => {
  t.ok(context.init('mem://') instanceof MemPair)
  t.ok(context.init('mem://;mode=client') instanceof MemPair)
  t.ok(context.init('mem://;mode=server') instanceof MemServer)
  t.match(
    fault(() => context.init('mem://;mode=x')),
    'mode must be one of client, server; got "x"',
  )
})
