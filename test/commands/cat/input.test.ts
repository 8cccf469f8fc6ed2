import t from 'tap'
import { Target } from '../../../src/commands/cat/copy.ts'
import { send } from '../../../src/commands/cat/input.ts'
import { dataOf, stage } from '../../messages/kit.ts'

async function* chunks(...all: string[]): AsyncIterable<Uint8Array> {
  for (const each of all) yield Buffer.from(each)
}

stage(t, 'lines, or chunks', async (t, { context, clock }) => {
  const to = context.init('mem://;name=q;size=64b').open()
  const texts = dataOf(context.init('mem://;master=q').open())
  const target = new Target(to)
  const done = send(chunks('one\ntw', 'o\n', 'three, which is long enough\nrest'), target, false)
  for (let turns = 0; turns < 30; turns++) {
    await new Promise(setImmediate)
    clock.advance(0)
  }
  await done
  t.strictSame(texts.splice(0), ['one', 'two', 'three, which is long enough', 'rest'])
  await send(chunks('a\nb', 'c'), target, true)
  clock.advance(0)
  t.strictSame(texts, ['a\nb', 'c'])
})

/** The lines behind the one that waited were forgotten when the channel closed. */
stage(t, 'what was read and does not go is counted', async (t, { context }) => {
  const to = context.init('mem://;name=q;size=64b').open()
  context.init('mem://;master=q').open()
  const target = new Target(to)
  const done = send(chunks('one\ntwo\nthree, which is long enough\nrest\n'), target, false)
  await new Promise(setImmediate)
  to.close()
  await done
  t.strictSame(target.lost, { messages: 2, bytes: 31 })
})
