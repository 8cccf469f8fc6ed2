import t from 'tap'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import {
  ROOM_SERVER_CHECKS,
  ROOM_SERVER_DEFAULTS,
  type RoomServerSettings,
} from '../../../src/rooms/server/room-server-settings.ts'
import { thrown } from '../../kit.ts'

type Name = keyof RoomServerSettings

const check = (name: Name, value: unknown): unknown => ROOM_SERVER_CHECKS[name](name, value)

t.test('what is valid', async t => {
  for (const [name, value] of Object.entries(ROOM_SERVER_DEFAULTS))
    t.equal(check(name as Name, value), value, name)
  const relay = new MemoryRelay()
  const valid: [Name, unknown, unknown?][] = [
    ['relay', relay],
    ['history', true],
    ['history', 5],
    ['history', { count: 5, age: 7 }],
    ['history', {}, { count: 1000, age: 3_600_000 }],
    ['rate', 0.5],
  ]
  for (const [name, value, result = value] of valid) t.same(check(name, value), result, name)
})

t.test('what is not', async t => {
  const invalid: [Name, unknown][] = [
    ['relay', 1],
    ['relay', null],
    ['relay', {}],
    ['history', 0],
    ['history', 'yes'],
    ['history', null],
    ['history', []],
    ['history', { bytes: 1 }],
    ['history', { count: 0 }],
    ['history', { age: -1 }],
    ['presence', 1],
    ['echo', 'no'],
    ['volatile', undefined],
    ['rate', 0],
    ['rate', NaN],
    ['rate', '1'],
    ['member_buffer', 0],
    ['room_name_size', 901],
    ['room_name_size', 0],
    ['rooms_per_member', 1.5],
    ['max_rooms', -1],
    ['max_members', '9'],
    ['topic', 'x'.repeat(101)],
    ['topic', 1],
  ]
  for (const [name, value] of invalid)
    t.equal(
      thrown(() => check(name, value)),
      'ERR_INVALID_ARGUMENT',
      name,
    )
})
