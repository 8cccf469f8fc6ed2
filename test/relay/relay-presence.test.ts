/** Members and watchers, without a server: what is stored and told is up to the test. */

import t from 'tap'
import { RelayLine } from '../../src/relay/relay-line.ts'
import { RelayPresence } from '../../src/relay/relay-presence.ts'
import { fate, scene, thrown, type World } from '../kit.ts'

class Presence extends RelayPresence {
  readonly asked: string[] = []
  /** What becomes of the next call of `listen`. */
  listens: () => Promise<void> = async () => {}

  async store(topic: string, member: string, isPresent: boolean): Promise<void> {
    this.asked.push(`${isPresent ? '+' : '-'}${topic} ${member}`)
  }

  listen(topic: string): Promise<void> {
    this.asked.push(`listen ${topic}`)
    return this.listens()
  }

  unlisten(topic: string): void {
    this.asked.push(`unlisten ${topic}`)
  }
}

interface Made {
  readonly line: RelayLine
  readonly presence: Presence
  readonly seen: string[]
  readonly watcher: (came: readonly string[], went: readonly string[]) => void
}

function make({ engine }: World): Made {
  const line = new RelayLine(engine, 'Test')
  const seen: string[] = []
  const watcher: Made['watcher'] = (came, went) => void seen.push(`+${came} -${went}`)
  return { line, presence: new Presence(engine, line), seen, watcher }
}

scene(t, 'what is stored is what was said last', async (t, world) => {
  const { line, presence } = make(world)
  const early = [
    presence.present('x', 'ann'),
    presence.absent('x', 'ann'),
    presence.present('x', 'bob'),
    presence.present('x', 'eve'),
    presence.absent('x', 'eve'),
    presence.present('x', 'eve'),
    presence.absent('x', 'nobody'),
    presence.absent('y', 'nobody'),
  ]
  await world.pump()
  t.same(presence.asked, [], 'they wait')
  line.arrived()
  await Promise.all(early)
  t.same(presence.asked.splice(0), ['-x ann', '+x bob', '+x eve', '+x eve'])
  await presence.absent('x', 'bob')
  await presence.absent('x', 'eve')
  t.equal(presence.own.size, 0)
  line.over()
  t.equal(await fate(presence.present('x', 'ann')), 'rejected ERR_RELAY_CLOSED')
  t.equal(await fate(presence.absent('x', 'ann')), 'rejected ERR_RELAY_CLOSED')
  t.equal(await fate(presence.watch('x', () => {})), 'rejected ERR_RELAY_CLOSED')
})

scene(t, 'the first call has all, the others what has changed', async (t, world) => {
  const { line, presence, seen, watcher } = make(world)
  line.arrived()
  const watching = presence.watch('x', watcher)
  await world.pump()
  t.same(seen, [], 'nothing is known yet')
  presence.tell('x', new Set(['ann', 'bob']), ['bob'], [])
  await watching
  presence.tell('x', new Set(['ann', 'bob']), [], [])
  presence.tell('x', new Set(['bob']), [], ['ann'])
  await presence.watch('x', watcher)
  t.same(seen, ['+ann,bob -', '+ -ann'], 'one watcher, watching twice')
  presence.unwatch('x', watcher)
  presence.unwatch('x', watcher)
  presence.tell('x', [], [], ['bob'])
  t.equal(seen.length, 2)
  t.same(presence.asked, ['listen x', 'listen x', 'unlisten x'])
  t.equal(
    thrown(() => presence.unwatch('x', 5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

scene(t, 'a watcher that goes before its first call; a refusal; the end', async (t, world) => {
  const { line, presence, seen, watcher } = make(world)
  line.arrived()
  const gone = presence.watch('x', watcher)
  presence.unwatch('x', watcher)
  await gone
  presence.listens = () => Promise.reject(new TypeError('no'))
  await t.rejects(presence.watch('y', watcher), TypeError)
  presence.listens = async () => {}
  const left = fate(presence.watch('z', watcher))
  presence.close()
  t.equal(await left, 'rejected ERR_RELAY_CLOSED')
  presence.tell('z', ['ann'], ['ann'], [])
  t.same(seen, [])
  t.same(presence.asked, ['listen x', 'unlisten x', 'listen y', 'unlisten y', 'listen z'])
})
