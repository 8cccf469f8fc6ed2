/** What is said when somebody comes, here or to another router. */

import t from 'tap'
import { Packet } from '../../../src/packets/packet.ts'
import { Greetings, STATUS_DISCONNECT } from '../../../src/packets/router/greetings.ts'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { Roster } from '../../../src/packets/router/roster.ts'
import type { RosterMember } from '../../../src/packets/router/roster-member.ts'
import { scene, type World } from '../../kit.ts'
import { brief } from '../kit.ts'

const ASK = 'alive mephisto→ann {"confirms":null}'
const WAIT = 'alive mephisto→ann {"confirms":null,"waits":true}'
const PLAIN = 'alive mephisto→ann'
const CAME = 'alive ann→mephisto'

function make({ engine }: World) {
  const said: string[] = []
  const settings = { grace: 1000, keep: 1000, count: 10, size: 10_000, agents: 10 }
  const roster = new Roster(engine, settings, { lost: () => {}, forgotten: () => {} })
  const greetings = new Greetings(roster)
  const at = (id: string, where: 'here' | 'elsewhere', confirms = true): RosterMember => {
    const peer: Peer = {
      address: where,
      isRouter: where === 'elsewhere',
      send: text => said.push(brief(Packet.from_text(text))) > 0,
      end: () => {},
    }
    const member = roster.findOrMake(id)!
    roster.came(member, peer)
    member.confirms = confirms
    return member
  }
  const close = (): void => roster.close()
  return { greetings, at, close, take: () => said.splice(0) }
}

scene(t, 'the supervisor comes', async (t, world) => {
  for (const [agent, confirms, where, expected] of [
    ['here', true, 'here', [ASK]],
    ['here', true, 'elsewhere', [ASK]],
    ['elsewhere', true, 'here', []],
    ['here', false, 'here', [CAME]],
    ['elsewhere', false, 'here', [CAME]],
    ['here', false, 'elsewhere', []],
  ] as const) {
    const { greetings, at, close, take } = make(world)
    at('ann', agent, confirms)
    at('mephisto', where)
    greetings.supervisorCame()
    t.strictSame(take(), expected, `${agent} ${confirms}, ${where}`)
    close()
  }
})

scene(t, 'an agent comes here', async (t, world) => {
  const { greetings, at, close, take } = make(world)
  const ann = at('ann', 'here')
  const { text } = { text: JSON.stringify({ packet_type: 'alive', subject_id: 'ann', data: {} }) }
  greetings.agentCame(ann, text)
  t.strictSame(take(), [WAIT])
  at('mephisto', 'elsewhere')
  ann.status = STATUS_DISCONNECT
  greetings.agentCame(ann, text)
  t.strictSame([take(), ann.status], [[WAIT, 'alive ann'], 'connected'])
  at('mephisto', 'elsewhere', false)
  greetings.supervisorCame()
  t.strictSame(take(), [PLAIN])
  greetings.agentCame(ann, text)
  t.strictSame(take(), [PLAIN])
  greetings.agentCame(at('ann', 'here', false), text)
  t.strictSame(take(), [])
  close()
})

scene(t, 'an agent comes to another router', async (t, world) => {
  for (const [where, confirms, expected] of [
    ['here', true, [ASK]],
    ['here', false, [CAME]],
    ['elsewhere', true, []],
  ] as const) {
    const { greetings, at, close, take } = make(world)
    at('mephisto', where)
    greetings.agentElsewhere(at('ann', 'elsewhere', confirms))
    t.strictSame(take(), expected, where)
    close()
  }
})

scene(t, 'something may be lost between routers', async (t, world) => {
  const { greetings, at, close, take } = make(world)
  at('ann', 'elsewhere')
  greetings.interrupted()
  greetings.ask(undefined)
  t.strictSame(take(), [])
  at('mephisto', 'here')
  greetings.interrupted()
  t.strictSame(take(), [ASK])
  at('ann', 'here')
  greetings.interrupted()
  t.strictSame(take(), [])
  close()
})
