import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { Party } from '../../../src/packets/lines/party.ts'
import { turn } from '../../kit.ts'
import { act, upTo } from '../kit.ts'

t.test('what may be sent now', async t => {
  const party = new Party('ann', 's', new Budget(9, 999, 999), {} as never)
  for (const n of upTo(3)) party.outgoing.push(act(n))
  const next = (): unknown => party.next()?.data.n
  t.equal(next(), undefined, 'it is away')
  party.state = 'guessed'
  party.sent(party.next()!)
  t.equal(next(), 1)
  party.state = 'confirming'
  t.equal(next(), 0)
  party.sent(party.next()!)
  t.equal(next(), 1)
})

t.test('one after the other, if a handler takes its time', async t => {
  const log: string[] = []
  const waits = new Map<number, ReturnType<typeof deferred<void>>>()
  const number = (packet: { data: { n: number } }): number => packet.data.n
  const party = new Party('ann', 's', new Budget(1, 1, 1), {
    deliver: (_, packet) => {
      log.push(`deliver ${number(packet)}`)
      return waits.get(number(packet))?.promise
    },
    delivered: (_, packet) => void log.push(`done ${number(packet)}`),
    dropped: ({ id }, isFirst) => void (isFirst && log.push(`flooded ${id}`)),
  })
  t.strictSame([party.id, party.state, party.outgoing.stream], ['ann', 'away', 's'])
  party.enter(act(0))
  t.strictSame(log.splice(0), ['deliver 0', 'done 0'])
  for (const n of [1, 3]) waits.set(n, deferred())
  for (const n of [1, 2, 3, 4]) party.enter(act(n))
  t.strictSame(log.splice(0), ['deliver 1'])
  waits.get(1)!.resolve()
  await turn()
  t.strictSame(log.splice(0), ['done 1', 'deliver 2', 'done 2', 'deliver 3'])
  for (const n of upTo(1100)) party.enter(act(n + 10))
  t.strictSame(log.splice(0), ['flooded ann'], 'once')
  waits.get(3)!.resolve()
  await turn()
  t.strictSame(log.slice(0, 3), ['done 3', 'deliver 4', 'done 4'])
  t.equal(log.filter(line => line.startsWith('done')).length, 1025)
})

t.test('when to confirm', async t => {
  const party = new Party('ann', 's', new Budget(1, 1, 1), {} as never)
  t.equal(
    upTo(63).some(() => party.count()),
    false,
  )
  t.equal(party.count(), true)
  party.confirmed()
  t.equal(party.count(), false)
})
