import t from 'tap'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { Roster } from '../../../src/packets/router/roster.ts'
import { scene, type World } from '../../kit.ts'

function make({ engine }: World, agents = 10) {
  const log: string[] = []
  const settings = { grace: 1000, keep: 5000, count: 10, size: 1000, agents }
  const roster = new Roster(engine, settings, {
    lost: ({ id }) => void log.push(`lost ${id}`),
    forgotten: ({ id }) => void log.push(`forgotten ${id}`),
  })
  const peer = (address: string): Peer => ({
    address,
    send: () => true,
    end: () => void log.push(`end ${address}`),
  })
  const names = (of: Peer): string[] => [...roster.at(of)].map(({ id }) => id)
  return { roster, log, peer, names }
}

scene(t, 'coming, going, coming back', async (t, world) => {
  const { roster, log, peer, names } = make(world)
  const [one, two] = [peer('one'), peer('two')]
  const [ann, bob] = [roster.findOrMake('ann')!, roster.findOrMake('bob')!]
  t.equal(roster.findOrMake('ann'), ann)
  t.equal(roster.findOrMake('mephisto'), roster.supervisor)
  roster.came(ann, one)
  roster.came(bob, one)
  roster.came(bob, one)
  t.strictSame([names(one), names(two)], [['ann', 'bob'], []])
  t.strictSame(roster.all, [ann, bob])
  roster.came(ann, two)
  t.strictSame([names(one), log.splice(0)], [['bob'], []])
  roster.came(bob, two)
  t.strictSame(log.splice(0), ['end one'], 'nobody is there any more')
  roster.gone(one)
  roster.gone(two)
  await world.advance(500)
  roster.came(ann, one)
  await world.advance(600)
  t.strictSame(log.splice(0), ['lost bob'])
  bob.send('x', 'ann')
  await world.advance(5100)
  t.strictSame([log.splice(0), [...roster.agents]], [['forgotten bob'], [ann]])
  roster.close()
  t.equal(ann.peer, undefined)
})

scene(t, 'the supervisor is one of them when it has been there', async (t, world) => {
  const { roster, peer } = make(world)
  t.strictSame(roster.all, [])
  roster.supervisor.send('x', 'ann')
  t.strictSame(roster.all, [roster.supervisor])
  roster.supervisor.clear()
  roster.came(roster.supervisor, peer('one'))
  t.strictSame(roster.all, [roster.supervisor])
  roster.close()
})

scene(t, 'a limit, and those who never come', async (t, world) => {
  const { roster, log } = make(world, 1)
  t.ok(roster.findOrMake('ann'))
  t.equal(roster.findOrMake('bob'), undefined)
  await world.advance(5100)
  t.ok(roster.findOrMake('bob'))
  t.strictSame(log, [])
  roster.close()
})

scene(t, 'one of several goes', async (t, world) => {
  const { roster, log, peer, names } = make(world)
  const [one, two] = [peer('one'), peer('two')]
  const [ann, bob] = [roster.findOrMake('ann')!, roster.findOrMake('bob')!]
  roster.came(ann, one)
  roster.came(bob, one)
  roster.went(ann, two)
  t.strictSame(names(one), ['ann', 'bob'], 'it is not there')
  roster.went(ann, one)
  t.strictSame([names(one), ann.peer], [['bob'], undefined])
  roster.went(bob, one)
  t.strictSame([names(one), log.splice(0)], [[], ['end one']])
  await world.advance(1000)
  t.strictSame(log, ['lost ann', 'lost bob'])
  roster.close()
})

/*
 * Whoever was away when the engine stopped was waited for: up to ten minutes, in which the process
 * did not end.
 */
scene(t, 'an engine that stops waits for nobody', async (t, world) => {
  const { roster, log, peer } = make(world)
  const one = peer('one')
  roster.came(roster.findOrMake('ann')!, one)
  roster.findOrMake('expected')
  roster.gone(one)
  t.equal(world.engine.channels.size, 2)
  await world.engine.stop()
  t.equal(world.engine.channels.size, 0)
  await world.advance(10_000)
  t.strictSame(log, [])
})
