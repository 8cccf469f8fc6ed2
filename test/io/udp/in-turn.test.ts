import t from 'tap'
import { InTurn } from '../../../src/io/udp/in-turn.ts'

t.test('each job begins when the one before is done', async t => {
  const inTurn = new InTurn()
  const log: string[] = []
  const finish: (() => void)[] = []
  const job = (name: string) => (done: () => void) => {
    log.push(name)
    finish.push(done)
  }
  for (const name of ['a', 'b', 'c', 'd']) inTurn.run(job(name))
  t.same(log.splice(0), ['a'])
  finish.shift()!()
  t.same(log.splice(0), ['b'])
  inTurn.flush()
  t.same(log.splice(0), ['c', 'd'])
  for (const done of finish.splice(0)) done()
  t.same(log, [])
  inTurn.run(job('e'))
  t.same(log, ['e'], 'nothing is left of those before')
})
