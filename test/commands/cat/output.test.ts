import t from 'tap'
import { Output } from '../../../src/commands/cat/output.ts'
import { fate } from '../../kit.ts'

t.test('what is taken, and what waits', async t => {
  const done: (() => void)[] = []
  const drains: (() => void)[] = []
  let hasRoom = true
  const output = new Output({
    write(_data, taken) {
      done.push(taken!)
      return hasRoom
    },
    once: (_event, listener) => drains.push(listener),
    emit: () => t.fail('it reports no error'),
  })
  await output.idle()
  t.equal(output.write('äb'), undefined)
  hasRoom = false
  const slow = output.write(Buffer.alloc(5)) as Promise<void>
  t.equal(output.waiting, 8)
  const idle = output.idle()
  t.equal(await fate(slow), 'open')
  drains[0]!()
  await slow
  done[0]!()
  t.strictSame([output.waiting, await fate(idle)], [5, 'open'])
  done[1]!()
  await idle
  t.equal(output.waiting, 0)
})

// On Deno the command never ended when the disk was full.
t.test('a stdout that throws', async t => {
  const full = new Error('ENOSPC')
  const output = new Output({
    write() {
      throw full
    },
    once: () => t.fail('it waits for nothing'),
    emit(event, error) {
      t.strictSame([event, error], ['error', full])
      return true
    },
  })
  t.equal(output.write('a'), undefined)
})
