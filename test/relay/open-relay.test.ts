import t from 'tap'
import { MemoryRelay } from '../../src/relay/memory-relay.ts'
import { open_relay } from '../../src/relay/open-relay.ts'
import { thrown } from '../kit.ts'

t.test('a relay by its URL', async t => {
  t.ok(open_relay('memory:') instanceof MemoryRelay)
  for (const wrong of ['', 'memory', 'mem://', 'http://x', undefined])
    t.equal(
      thrown(() => open_relay(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => open_relay('memory:', { histroy: 1 } as never)),
    'ERR_INVALID_ARGUMENT',
  )
})
