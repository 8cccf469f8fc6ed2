import t from 'tap'
import { MemPair } from '../../src/messages/carriers/mem-pair.ts'
import { Null } from '../../src/messages/carriers/null.ts'
import { channel_cast } from '../../src/messages/cast.ts'
import { Deflate } from '../../src/messages/prefixes/deflate.ts'
import { fault, stage } from './kit.ts'

stage(t, 'the channel itself, or one below it', async (t, { context }) => {
  const channel = context.init('filter+deflate+mem://;messages=!1')
  t.equal(channel_cast(channel, MemPair)?.name, 'noname-0/filter/deflate')
  t.equal(channel_cast(channel, Deflate)?.name, 'noname-0/filter')
  t.equal(channel_cast(channel, Null), undefined)
  const mem = context.init('mem://')
  t.equal(channel_cast(mem, MemPair), mem)
  // A TypeError of `instanceof`, without a code.
  for (const wrong of [undefined, {}, 'mem'])
    t.match(
      [
        fault(() => channel_cast(wrong as never, MemPair)),
        fault(() => channel_cast(mem, wrong as never)),
      ],
      [
        'channel_cast: channel must be a message channel',
        'channel_cast: ChannelClass must be a class',
      ],
    )
})
