import t from 'tap'
import { Member } from '../../../src/rooms/server/member.ts'
import { thrown } from '../../kit.ts'

t.test('it passes everything on', async t => {
  const log: string[] = []
  const seat = {
    id: 'id',
    name: 'name',
    address: 'there',
    connection: undefined,
    isHere: true,
    rooms: new Map([['r', 1]]),
    tell: (message: unknown) => log.push(`tell ${String(message)}`) > 0,
    expel: (room: string, reason: string) => log.push(`expel ${room} ${reason}`) > 0,
    part: (code: number, reason: string) => void log.push(`part ${code} ${reason}`),
  }
  const member = new Member(seat)
  t.same(
    [member.id, member.name, member.address, member.connection, member.connected, member.rooms],
    ['id', 'name', 'there', undefined, true, ['r']],
  )
  t.equal(member.data, undefined)
  member.name = 'other'
  t.equal(seat.name, 'other')
  t.equal(
    thrown(() => (member.name = 1 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(member.send('x'), true)
  member.expel('r')
  member.expel('r', 'noise')
  member.disconnect()
  member.disconnect(3000, 'bye')
  t.same(log, ['tell x', 'expel r removed', 'expel r noise', 'part 1000 ', 'part 3000 bye'])
})
