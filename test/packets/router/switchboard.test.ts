/** The way of a packet through a router: who may say what, and where it goes. */

import t from 'tap'
import { Packet } from '../../../src/packets/packet.ts'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { Switchboard } from '../../../src/packets/router/switchboard.ts'
import { scene, type World } from '../../kit.ts'
import { brief } from '../kit.ts'

function make({ engine }: World, { agents = 10, count = 5 } = {}) {
  const log: string[] = []
  const answered: string[] = []
  const board = new Switchboard(
    engine,
    { grace: 1000, keep: 60_000, count, size: 10_000, agents },
    {
      admits: id => id !== 'mallory',
      answers: ({ type, receiver_id, data }) =>
        answered.push(type) > 0 && receiver_id === 'mephisto_server' && !('elsewhere' in data),
      dropped: (...why) => void log.push(why.join(' ')),
      lost: id => void log.push(`lost ${id}`),
      failed: error => void log.push(error.message),
    },
  )
  class FakePeer implements Peer {
    readonly got: string[] = []
    room = Infinity
    readonly address: string
    constructor(address: string) {
      this.address = address
    }
    send(text: string): boolean {
      if (this.room-- <= 0) return false
      this.got.push(brief(Packet.from_text(text)))
      return true
    }
    end(): void {
      log.push(`end ${this.address}`)
    }
    says(packet_type: string, sender_id: string, receiver_id: string, data = {}): void {
      board.heard(this, JSON.stringify({ packet_type, sender_id, receiver_id, data }))
    }
    take(): string[] {
      return this.got.splice(0)
    }
  }
  const alive = (id: string, data = {}): FakePeer => {
    const peer = new FakePeer(`at-${id}`)
    peer.says('alive', id, 'mephisto_server', data)
    return peer
  }
  return { board, log, FakePeer, alive, answered }
}

const CONFIRMS = { confirms: null, sends: { stream: 's', number: 0 } }

scene(t, 'between an agent and the supervisor, there or away', async (t, world) => {
  const { board, alive, log } = make(world)
  const ann = alive('ann')
  ann.says('act', 'ann', 'mephisto', { n: 1 })
  const supervisor = alive('mephisto')
  t.strictSame(supervisor.take(), ['act ann→mephisto {"n":1}'], 'it has waited')
  supervisor.says('tell', 'mephisto', 'ann', { n: 2 })
  supervisor.says('tell', 'mephisto', 'bob', { n: 3 })
  ann.says('act', 'ann', 'mephisto', { n: 4 })
  t.strictSame(ann.take(), ['tell mephisto→ann {"n":2}'])
  t.strictSame(supervisor.take(), ['act ann→mephisto {"n":4}'])
  t.strictSame(alive('bob').take(), ['tell mephisto→bob {"n":3}'])
  ann.says('act', 'ann', 'bob', { n: 5 })
  ann.says('act', 'ann', 'nobody', { n: 6 })
  t.strictSame(log, ['unknown ann nobody'])
  t.match(board.members, [{ id: 'mephisto' }, { id: 'ann', status: 'connected' }, { id: 'bob' }])
  board.close()
  ann.says('act', 'ann', 'mephisto')
  t.strictSame(supervisor.take(), [])
})

scene(t, 'a packet of today says when it was here', async (t, world) => {
  const { board, alive } = make(world)
  const [supervisor, ann] = [alive('mephisto'), alive('ann')]
  const today = (peer: Peer, subject_id: string): void =>
    board.heard(peer, JSON.stringify({ packet_type: 'x', subject_id, data: {} }))
  const texts: string[] = []
  supervisor.send = text => texts.push(text) > 0
  ann.send = text => texts.push(text) > 0
  today(ann, 'ann')
  today(supervisor, 'ann')
  t.match(
    texts.map(text => JSON.parse(text)),
    [
      { subject_id: 'ann', router_incoming_timestamp: Number, router_outgoing_timestamp: Number },
      { subject_id: 'ann', client_timestamp: null },
    ],
  )
  board.close()
})

scene(t, 'nobody speaks for somebody else', async (t, world) => {
  const { board, alive, log, FakePeer } = make(world)
  const [supervisor, ann, bob] = [alive('mephisto'), alive('ann'), alive('bob')]
  bob.says('act', 'ann', 'mephisto')
  bob.says('tell', 'mephisto', 'ann')
  bob.says('request_status', 'bob', 'mephisto_server')
  t.strictSame(log.splice(0), ['impostor ann at-bob', 'impostor mephisto at-bob'])
  t.strictSame([ann.take(), supervisor.take(), bob.take()], [[], [], []])
  new FakePeer('at-x').says('act', 'carl', 'mephisto')
  t.strictSame(supervisor.take(), ['act carl→mephisto'], 'nobody is there as carl')
  alive('mallory')
  t.strictSame(log.splice(0), ['refused mallory at-mallory', 'end at-mallory'])
  const again = alive('ann')
  t.strictSame(log.splice(0), ['end at-ann'], 'the newer connection counts')
  supervisor.says('tell', 'mephisto', 'ann')
  t.strictSame([ann.take(), again.take()], [[], ['tell mephisto→ann']])
  board.close()
})

scene(t, 'what is no packet', async (t, world) => {
  const { board, FakePeer, log } = make(world)
  const peer = new FakePeer('at-x')
  for (let n = 0; n < 99; n++) board.heard(peer, '{')
  t.match(log.splice(0), ['invalid at-x mephisto_server', /^at-x: the packet is no JSON/])
  board.heard(peer, '{}')
  t.strictSame(log, ['end at-x'])
  board.failed(new Error('of a door'))
  t.equal(log.at(-1), 'of a door')
})

scene(t, 'too much for one, too many agents', async (t, world) => {
  const { board, alive, log } = make(world, { agents: 2, count: 2 })
  const supervisor = alive('mephisto')
  for (let n = 0; n < 5; n++) supervisor.says('tell', 'mephisto', 'ann', { n })
  t.strictSame(log.splice(0), ['full mephisto ann'], 'told once')
  const ann = alive('ann')
  t.strictSame(ann.take(), ['tell mephisto→ann {"n":0}', 'tell mephisto→ann {"n":1}'])
  ann.room = 0
  for (let n = 0; n < 5; n++) supervisor.says('tell', 'mephisto', 'ann', { n })
  t.strictSame(log.splice(0), ['full mephisto ann'], 'and again when there was room')
  ann.room = 1
  board.ready(ann)
  supervisor.says('tell', 'mephisto', 'ann', { n: 5 })
  ann.room = Infinity
  board.ready(ann)
  t.equal(ann.take().length, 3)
  t.equal(board.dropped, 6)
  supervisor.says('tell', 'mephisto', 'bob')
  supervisor.says('tell', 'mephisto', 'carl')
  alive('dora')
  t.strictSame(log, ['agents mephisto carl', 'agents dora mephisto_server'])
  supervisor.says('update_status', 'mephisto', 'elsa', { agent_status: 'x' })
  board.close()
})

scene(t, 'an agent that does not come back', async (t, world) => {
  const { board, alive, log } = make(world)
  const [supervisor, ann] = [alive('mephisto'), alive('ann')]
  board.gone(ann)
  supervisor.says('tell', 'mephisto', 'ann')
  await world.advance(1100)
  t.match(supervisor.take(), [/^return_status mephisto_server→mephisto {"ann":"disconnect"} rou/])
  await world.advance(60_100)
  t.strictSame(log.splice(0), ['lost ann', 'forgotten mephisto_server ann'])
  t.match(alive('ann').take(), [])
  t.match(board.members, [{}, { id: 'ann', status: 'connected' }])
  board.gone(supervisor)
  await world.advance(1100)
  t.strictSame(log, ['lost mephisto'])
  board.close()
})

scene(t, 'statuses and heartbeats', async (t, world) => {
  const { board, alive } = make(world)
  const [supervisor, ann] = [alive('mephisto'), alive('ann')]
  supervisor.says('request_status', 'mephisto', 'c')
  t.match(supervisor.take(), [/^return_status mephisto_server→mephisto {"ann":"connected"} .*#1$/])
  supervisor.says('update_status', 'mephisto', 'ann', { status: 'in task' })
  supervisor.says('update_status', 'mephisto', 'ann', { agent_status: 'done' })
  supervisor.says('update_status', 'mephisto', 'ann', { status: 5 })
  const today = (packet_type: string, data: object): void =>
    board.heard(supervisor, JSON.stringify({ packet_type, subject_id: 'ann', data }))
  today('update_status', { status: 'done' })
  today('alive', { sends: { stream: 's', number: 0 } })
  t.equal(ann.take().length, 5, 'it is passed on')
  board.heard(
    supervisor,
    JSON.stringify({ packet_type: 'request_statuses', subject_id: 'mephisto', data: {} }),
  )
  t.match(supervisor.take(), [/^return_statuses mephisto {"ann":"done"}/])
  ann.says('heartbeat', 'ann', 'mephisto_server')
  ann.says('heartbeat', 'nobody', 'mephisto_server')
  board.heard(ann, JSON.stringify({ packet_type: 'heartbeat', subject_id: 'ann', data: {} }))
  t.strictSame(ann.take(), [
    'heartbeat mephisto_server→ann {"status":"done"}',
    'heartbeat mephisto_server→nobody {"status":"none"}',
    'heartbeat ann {"status":"done"}',
  ])
  board.close()
})

scene(t, 'answers to HTTP', async (t, world) => {
  const { board, alive, answered } = make(world)
  const [supervisor, ann] = [alive('mephisto'), alive('ann')]
  supervisor.says('provider_details', 'mephisto', 'mephisto_server')
  supervisor.says('provider_details', 'mephisto', 'ann')
  ann.says('agent_details', 'ann', 'mephisto')
  t.strictSame(answered, ['provider_details', 'provider_details'])
  t.strictSame([ann.take().length, supervisor.take().length], [1, 1])
  const packet = new Packet({ packet_type: 'x', sender_id: 'r', receiver_id: 'mephisto' })
  t.equal(board.toSupervisor(packet), true)
  board.gone(supervisor)
  t.equal(board.toSupervisor(packet), false)
  board.close()
})

scene(t, 'two ends that confirm', async (t, world) => {
  const { board, alive } = make(world)
  const ann = alive('ann', CONFIRMS)
  t.strictSame(ann.take(), ['alive mephisto→ann {"confirms":null,"waits":true}'])
  const plain = alive('old')
  t.strictSame(plain.take(), [])
  board.gone(alive('away'))
  const supervisor = alive('mephisto', { confirms: null })
  t.match(
    supervisor.take(),
    [/^return_status mephisto_server→mephisto {"ann":.*#1$/, /^alive old→mephisto$/],
    'by the first word it knows the router',
  )
  t.strictSame(ann.take(), ['alive mephisto→ann {"confirms":null}'])
  ann.says('alive', 'ann', 'mephisto', CONFIRMS)
  t.match(supervisor.take(), [/^alive ann→mephisto {"confirms":null,"sends"/])
  supervisor.says('alive', 'mephisto', 'ann', CONFIRMS)
  t.match(
    ann.take(),
    [/"waits":true/, /^alive mephisto→ann {"confirms":null,"sends"/],
    'a question',
  )
  board.heard(supervisor, today('alive', 'ann', CONFIRMS))
  t.match(ann.take(), [/^alive ann {"confirms":null,"sends"/], 'a question of today')
  await world.advance(1100)
  t.strictSame(ann.take(), [])
  supervisor.says('alive', 'mephisto', 'c', { confirms: null })
  t.strictSame(ann.take(), ['alive mephisto→ann {"confirms":null}'], 'it may say so again')
  t.match(supervisor.take(), [
    /^return_status.*{"away":"disconnect"}/,
    /^return_status.*"ann"/,
    /^alive old/,
  ])
  board.gone(ann)
  await world.advance(1100)
  t.match(supervisor.take(), [/^return_status.*ann/])
  board.close()
})

scene(t, 'packets with places: kept by their sender', async (t, world) => {
  const { board, alive, log } = make(world, { count: 1 })
  const supervisor = alive('mephisto', { confirms: null })
  const place = { stream: 's', number: 1 }
  const say = (n: number): void => {
    const fields = { packet_type: 'x', sender_id: 'mephisto', receiver_id: 'ann', data: { n } }
    board.heard(supervisor, new Packet(fields, place).to_text())
  }
  say(1)
  const early = alive('ann', CONFIRMS)
  const [greeting, ...rest] = early.take()
  t.match(greeting, /"waits":true/, 'it knows the router before all that waits')
  t.equal(rest.length, 1, 'it was not known that ann confirms')
  board.gone(early)
  say(1)
  const ann = alive('ann', CONFIRMS)
  t.equal(ann.take().length, 1, 'it was not kept here')
  ann.room = 0
  for (let n = 0; n < 3; n++) say(n)
  t.strictSame(log, ['full mephisto ann'])
  supervisor.take()
  ann.room = Infinity
  board.ready(ann)
  t.equal(ann.take().length, 1)
  t.strictSame(supervisor.take(), ['alive mephisto→mephisto {"confirms":null}'])
  board.close()
})

scene(t, 'a supervisor that does not confirm: nobody waits for it', async (t, world) => {
  const { board, alive } = make(world)
  const [ann, old] = [alive('ann', CONFIRMS), alive('old')]
  ann.take()
  const supervisor = alive('mephisto')
  await world.advance(1100)
  t.strictSame([ann.take(), old.take(), supervisor.take()], [['alive mephisto→ann'], [], []])
  t.strictSame(alive('bob', CONFIRMS).take(), ['alive mephisto→bob'])
  board.gone(old)
  await world.advance(1100)
  board.close()
})

const today = (packet_type: string, subject_id: string, data = {}): string =>
  JSON.stringify({ packet_type, subject_id, data })

scene(t, 'those who are at other routers', async (t, world) => {
  const { board, alive, log, FakePeer, answered } = make(world, { agents: 2 })
  const calls: string[] = []
  const neighbours = {
    came: (id: string, confirms: boolean) => calls.push(`came ${id} ${confirms}`),
    moved: (id: string) => calls.push(`moved ${id}`),
    gone: (id: string) => calls.push(`gone ${id}`),
    toAll: (from: string, to: string) => calls.push(`to all ${from} ${to}`),
  }
  board.neighbours = neighbours as unknown as NonNullable<typeof board.neighbours>
  const router = Object.assign(new FakePeer('router'), { isRouter: true })
  const supervisor = alive('mephisto', CONFIRMS)
  const ann = alive('ann', CONFIRMS)
  ann.says('alive', 'ann', 'mephisto', CONFIRMS)
  t.strictSame(calls.splice(0), ['came mephisto true', 'came ann true'], 'each once')
  supervisor.take()
  ann.take()
  board.elsewhere('ann', router, true, true)
  supervisor.says('tell', 'mephisto', 'ann', { n: 1 })
  t.strictSame(ann.take(), ['tell mephisto→ann {"n":1}'], 'it is here')
  board.elsewhere('ann', router, true, false)
  t.strictSame([calls.splice(0), log.splice(0)], [['moved ann'], ['end at-ann']])
  supervisor.says('tell', 'mephisto', 'ann', { n: 2 })
  t.strictSame(router.take(), ['alive mephisto→ann {"confirms":null}', 'tell mephisto→ann {"n":2}'])
  board.relayed(new FakePeer('x'), 'ann', 'mephisto', today('alive', 'ann'))
  t.strictSame(supervisor.take(), [], 'it is not known to be there')
  board.relayed(router, 'ann', 'mephisto', today('alive', 'ann'))
  board.relayed(router, 'ann', 'mephisto', today('act', 'ann'))
  t.strictSame(supervisor.take(), ['alive ann', 'act ann'])
  board.relayed(router, 'mephisto', 'ann', today('update_status', 'ann', { status: 'busy' }))
  t.match(board.members[1], { id: 'ann', status: 'busy' })
  t.strictSame(log.splice(0), ['astray mephisto ann'])
  for (const type of ['alive', 'confirm'])
    board.relayed(router, 'mephisto_server', 'ann', today(type, 'ann'))
  board.relayed(router, 'ann', 'nobody', today('act', 'ann'))
  board.relayed(router, 'ann', 'mephisto', '{')
  t.match(log.splice(0), ['unknown ann nobody', /no JSON/])
  board.relayed(router, 'mephisto', 'mephisto_server', today('agent_details', 'x'))
  t.strictSame(answered.splice(0), ['agent_details'])
  supervisor.says('provider_details', 'mephisto', 'mephisto_server')
  supervisor.says('agent_details', 'mephisto', 'ann')
  t.strictSame([answered.length, calls.splice(0)], [2, []], 'it was asked here')
  supervisor.says('provider_details', 'mephisto', 'mephisto_server', { elsewhere: true })
  t.strictSame(calls.splice(0), ['to all mephisto mephisto_server'])
  board.interrupted()
  board.elsewhere('bob', router, false, false)
  board.elsewhere('carl', router, false, false)
  t.strictSame(log.splice(0), ['agents carl mephisto_server'])
  router.take()
  supervisor.take()
  board.left('ann', router)
  board.left('carl', router)
  supervisor.says('tell', 'mephisto', 'ann', { n: 3 })
  t.strictSame(router.take(), [], 'it waits here')
  await world.advance(1000)
  t.match(supervisor.take(), [/^return_status .* \{"ann":"disconnect"\}/])
  board.elsewhere('mephisto', router, true, false)
  t.strictSame(router.take(), [])
  board.left('bob', router)
  await world.advance(1000)
  t.strictSame(router.take(), [], 'the router of the supervisor says it')
  const again = alive('ann')
  board.gone(again)
  t.strictSame(calls.splice(0), ['moved mephisto', 'came ann false', 'gone ann'])
  board.close()
})
