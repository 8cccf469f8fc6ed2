import t from 'tap'
import { Deliveries, refusing } from '../../../../src/messages/carriers/streams/deliveries.ts'
import { Message } from '../../../../src/messages/message.ts'
import { fate, turn } from '../../../kit.ts'

const message = (data: string): Message => new Message({ data })

t.test('one at a time, in order', async t => {
  const log: string[] = []
  const go: (() => void)[] = []
  const deliveries = new Deliveries(({ data }) => {
    log.push(String(data))
    return String(data).startsWith('slow')
      ? new Promise<void>(resolve => go.push(resolve))
      : undefined
  })
  t.equal(deliveries.add(message('a')), undefined)
  const one = deliveries.add(message('slow 1')) as Promise<void>
  const rest = ['b', 'slow 2', 'c'].map(each => deliveries.add(message(each)) as Promise<void>)
  t.strictSame([log.splice(0), deliveries.isBusy], [['a', 'slow 1'], true])
  t.equal(await fate(rest[0]!), 'open')
  go.shift()!()
  await one
  await rest[0]
  t.strictSame(log.splice(0), ['b', 'slow 2'])
  t.equal(await fate(rest[1]!), 'open')
  go.shift()!()
  await Promise.all(rest)
  t.strictSame(log.splice(0), ['c'])
  await turn()
  t.equal(deliveries.add(message('d')), undefined, 'nothing is left')
})

t.test('flush: what waits is delivered at once', async t => {
  const log: string[] = []
  const deliveries = new Deliveries(({ data }) => {
    log.push(String(data))
    return new Promise(() => {})
  })
  void deliveries.add(message('a'))
  const rest = ['b', 'c'].map(each => deliveries.add(message(each)))
  deliveries.flush()
  await Promise.all(rest)
  t.strictSame(log, ['a', 'b', 'c'])
})

t.test('who did not take it', async t => {
  t.same(
    refusing([1, 2, 3], addr => (addr === 1 ? undefined : addr === 2)),
    [1, 3],
  )
})
