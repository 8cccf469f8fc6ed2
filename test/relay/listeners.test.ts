import t from 'tap'
import { Listeners } from '../../src/relay/listeners.ts'

t.test('the first, the last, and those that change it while they are called', async t => {
  const logged: string[] = []
  const listeners = new Listeners<[number], string>(message => logged.push(message))
  const heard: string[] = []
  const one = (value: number): void => void heard.push(`one ${value}`)
  const two = (value: number): void => {
    heard.push(`two ${value}`)
    listeners.delete('x', one)
    throw new Error('two')
  }
  t.equal(listeners.delete('x', one), false)
  t.equal(listeners.has('x'), false)
  t.equal(listeners.add('x', two, 'extra'), true)
  t.equal(listeners.add('x', one, ''), false)
  t.equal(listeners.add('x', two, 'another'), false)
  t.equal(listeners.has('x'), true)
  listeners.call('x', 1)
  listeners.call('nobody', 1)
  t.strictSame([heard, logged], [['two 1'], ['a listener of "x" threw: two']])
  listeners.each('x', (_, extra) => heard.push(extra))
  t.equal(heard.at(-1), 'extra', 'the first one stays')
  t.strictSame([...listeners.topics], ['x'])
  t.equal(listeners.delete('x', two), true)
  listeners.add('y', one, '')
  listeners.clear()
  listeners.call('y', 1)
  t.strictSame([...listeners.topics], [])
})
