import t from 'tap'
import type { Engine } from '../../../src/engine.ts'
import { RelayError } from '../../../src/relay/relay.ts'
import { HistoryOutbox } from '../../../src/rooms/server/history-outbox.ts'
import { scene, turn } from '../../kit.ts'

const away = new RelayError('ERR_RELAY_UNAVAILABLE', 'away')

function make(engine: Engine) {
  const log: string[] = []
  const calls: { resolve: (seq: number) => void; reject: (error: unknown) => void }[] = []
  const owner = {
    engine,
    isOpen: true,
    append: (data: string) => {
      log.push(`append ${data}`)
      return new Promise<number>((resolve, reject) => calls.push({ resolve, reject }))
    },
    catchUp: async () => void log.push('catch up'),
    failed: (error: unknown) => void log.push(`failed ${(error as Error).message}`),
    settled: () => void log.push('settled'),
  }
  const box = new HistoryOutbox(owner)
  box.begin()
  return { box, owner, log, calls }
}

scene(t, 'in order, and forgotten when stored', async (t, { engine }) => {
  const { box, log, calls } = make(engine)
  t.equal(box.isEmpty, true)
  t.equal(box.add('1', 'a'), true)
  t.equal(box.add('2', 'b'), true)
  t.equal(box.isEmpty, false)
  calls[0]!.resolve(1)
  await turn()
  box.stored('2')
  calls[1]!.resolve(2)
  await turn()
  t.same(log, ['append a', 'append b', 'settled'])
  box.add('3', 'c')
  calls[2]!.reject(new Error('no memory'))
  await turn()
  t.same(log.slice(3), ['append c', 'settled', 'failed no memory'])
})

scene(t, 'giving up: what waits, if something does', async (t, { engine }) => {
  const { box, log } = make(engine)
  box.giveUp(new Error('nothing'))
  box.add('1', 'a')
  box.giveUp(new Error('too much'))
  t.same(log, ['append a', 'settled', 'failed too much'])
})

scene(t, 'after a loss only what was not stored is sent again', async (t, world) => {
  const { engine, advance } = world
  const { box, owner, log, calls } = make(engine)
  for (const id of ['1', '2', '3']) box.add(id, id)
  calls[0]!.reject(away)
  await turn()
  box.add('4', '4')
  owner.catchUp = async () => {
    log.push('catch up')
    box.stored('2')
  }
  calls[1]!.reject(away)
  calls[2]!.reject(away)
  await turn()
  await advance(200)
  t.same(log, ['append 1', 'append 2', 'append 3', 'catch up', 'append 1', 'append 3', 'append 4'])
  owner.catchUp = () => Promise.reject(new Error('refused'))
  for (const each of calls.slice(3)) each.reject(away)
  await turn()
  await advance(2000)
  t.same(log.slice(7), ['settled', 'failed refused'])
  t.equal(box.isEmpty, true)
  box.add('5', '5')
  owner.isOpen = false
  calls[6]!.reject(away)
  await turn()
  await advance(2000)
  t.same(log.slice(9), ['append 5'])
})

scene(t, 'it is bounded', async (t, { engine }) => {
  const { box } = make(engine)
  t.equal(box.add('1', 'x'.repeat(4 * 1024 * 1024)), true)
  t.equal(box.add('2', 'x'), false)
  const { box: other } = make(engine)
  for (let i = 0; i < 10_000; i++) other.add(String(i), '')
  t.equal(other.add('x', ''), false)
})
