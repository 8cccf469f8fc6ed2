import t from 'tap'
import { Callees } from '../../src/core/callees.ts'

t.test('in the order in which they came, each once', async t => {
  const callees = new Callees<string, number>()
  const called = (): [string, number][] => {
    const all: [string, number][] = []
    callees.each((...one) => void all.push(one))
    return all
  }
  callees.set('a', 1)
  callees.set('b', 2)
  callees.set('a', 3)
  t.strictSame([callees.size, callees.has('a'), callees.get('a')], [2, true, 3])
  t.strictSame(called(), [
    ['a', 3],
    ['b', 2],
  ])
  t.strictSame(
    [callees.delete('a'), callees.delete('a'), callees.get('a')],
    [true, false, undefined],
  )
  callees.set('a', 4)
  t.strictSame(called(), [
    ['b', 2],
    ['a', 4],
  ])
  callees.clear()
  t.strictSame([callees.size, callees.has('a'), called()], [0, false, []])
})

t.test('changed while they are called', async t => {
  const callees = new Callees<string, undefined>()
  const called: string[] = []
  const call = (): void =>
    callees.each(callee => {
      called.push(callee)
      if (callee !== 'a') return
      callees.delete('b')
      for (const each of ['b', 'd']) callees.set(each, undefined)
    })
  for (const each of ['a', 'b', 'c']) callees.set(each, undefined)
  call()
  t.strictSame(called.splice(0), ['a', 'c'])
  call()
  t.strictSame(called, ['a', 'c', 'd'])
})
