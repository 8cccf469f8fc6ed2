import t from 'tap'
import { Crowd } from '../../../src/rooms/server/crowd.ts'
import type { Entrance, Link } from '../../../src/rooms/server/entrance.ts'
import type { Seat } from '../../../src/rooms/server/seat.ts'

/** An entrance that writes down what is posted, and refuses for some. */
class Door implements Entrance {
  readonly log: string[] = []
  readonly full = new Set<Link>()
  post(texts: readonly string[], links: Iterable<Link>): Link[] {
    const all = [...links]
    this.log.push(`${texts.join('|')} to ${all.join()}`)
    return all.filter(link => this.full.has(link))
  }
  part(): void {}
  shut(): void {}
}

function crowd(): { crowd: Crowd; slow: string[]; seat: (door: Door, link: string) => Seat } {
  const slow: string[] = []
  const made = new Crowd({
    slow: seat => {
      slow.push(String(seat.link))
      made.delete(seat)
    },
    echo: seq => `seen ${seq}`,
  })
  const seat = (entrance: Door, link: string): Seat => ({ entrance, link }) as unknown as Seat
  return { crowd: made, slow, seat }
}

t.test('what is said in one turn is one post for each entrance', async t => {
  const { crowd: all, seat } = crowd()
  const [one, other] = [new Door(), new Door()]
  all.say({ text: 'nobody hears it' })
  const [a, b, c] = [seat(one, 'a'), seat(one, 'b'), seat(other, 'c')]
  for (const each of [a, b, c]) all.add(each)
  t.equal(all.size, 3)
  t.same([...all], [a, b, c])
  all.say({ text: '1' })
  all.say({ text: '2' })
  t.same(one.log, [])
  await null
  t.same([one.log.splice(0), other.log.splice(0)], [['1|2 to a,b'], ['1|2 to c']])
  all.say({ text: '3', except: a })
  all.say({ text: '4', except: c })
  all.say({ text: '5' })
  await null
  t.same(one.log.splice(0), ['3|4|5 to b', '4|5 to a'])
  t.same(other.log.splice(0), ['3|4|5 to ', '3|5 to c'])
  all.say({ text: '6', except: a })
  await null
  t.same(one.log.splice(0), ['6 to b'], 'and nothing to the one that said it')
  all.say({ text: '7', seq: 7, except: a })
  await null
  t.same(one.log.splice(0), ['7 to b', 'seen 7 to a'])
  all.say({ text: '8', except: a })
  all.delete(a)
  t.same(one.log.splice(0), ['8 to b'], 'who goes gets what was said before')
  all.say({ text: '9', except: a })
  await null
  t.same(one.log.splice(0), ['9 to b'], 'it has gone')
  all.delete(a)
  all.delete(b)
  t.equal(all.size, 1)
})

t.test('who is slow is told, and misses a volatile message', async t => {
  const { crowd: all, slow, seat } = crowd()
  const door = new Door()
  const [a, b] = [seat(door, 'a'), seat(door, 'b')]
  all.add(a)
  all.add(b)
  door.full.add('a')
  all.say({ text: '1', isVolatile: true })
  all.say({ text: '2', isVolatile: true, except: a })
  await null
  t.same(slow, [])
  all.say({ text: '3', isVolatile: true })
  all.say({ text: '4', isVolatile: false })
  t.same(slow, [])
  await null
  t.same(slow, ['a'])
  t.equal(all.size, 1)
  door.full.add('b')
  all.say({ text: '5', isVolatile: false })
  all.delete(b)
  t.same(slow, ['a', 'b'], 'found out in its last messages')
  t.equal(all.size, 0)
})
