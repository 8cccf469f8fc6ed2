import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { linkOf } from '../../../src/channels/streams/link-of.ts'
import { receiver } from '../../../src/channels/streams/receiver.ts'
import { kit } from '../link-kit.ts'

t.test('while a stream receives it is known, and none afterwards', async t => {
  const [outer, inner] = [await kit(t, Client), await kit(t, Client)]
  const seen: unknown[] = []
  const see = () => {
    const links = [outer, inner].map(({ stream, sink }) => linkOf(stream) === sink)
    seen.push([receiver.channel, ...links])
  }
  outer.stream.on_read = () => {
    see()
    inner.sink.received(Buffer.from('b'))
    see()
  }
  inner.stream.on_read = see
  outer.sink.received(Buffer.from('a'))
  t.equal(receiver.driver, undefined)
  const right = [outer.stream, inner.stream, undefined].map(each => [each, true, true])
  t.ok(seen.flat().every((each, i) => each === right.flat()[i]))
})
