import t from 'tap'
import { Packet } from '../../../src/packets/packet.ts'
import { aliveWord, heartbeatWord, statusesWord } from '../../../src/packets/router/words.ts'
import { brief } from '../kit.ts'

const read = (text: string): string => brief(Packet.from_text(text))

t.test('alive', async t => {
  t.equal(read(aliveWord('ann', 'mephisto')), 'alive ann→mephisto')
  t.equal(
    read(aliveWord('mephisto', 'ann', { confirms: null })),
    'alive mephisto→ann {"confirms":null}',
  )
})

t.test('statuses, in both shapes', async t => {
  const place = { stream: 's', number: 1 }
  const data = { ann: 'connected' }
  t.equal(
    brief(statusesWord(data, place, false)),
    'return_status mephisto_server→mephisto {"ann":"connected"} s#1',
  )
  t.equal(
    brief(statusesWord(data, place, true)),
    'return_statuses mephisto {"ann":"connected"} s#1',
  )
})

t.test('heartbeats, in both shapes', async t => {
  const packet_type = 'heartbeat'
  const old = new Packet({ packet_type, sender_id: 'ann', receiver_id: 'mephisto_server' })
  t.equal(read(heartbeatWord(old, 'x')), 'heartbeat mephisto_server→ann {"status":"x"}')
  const today = new Packet({ packet_type, subject_id: 'ann' })
  t.equal(read(heartbeatWord(today, 'x')), 'heartbeat ann {"status":"x"}')
})
