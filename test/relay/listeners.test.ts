import t from 'tap'
import { Listeners, Subscribers } from '../../src/relay/listeners.ts'

t.test('the first, the last, and those that change it while they are called', async t => {
  const logged: string[] = []
  const listeners = new Listeners<[number], string>({ log: message => void logged.push(message) })
  const heard: string[] = []
  const one = (value: number): void => void heard.push(`one ${value}`)
  const two = (value: number): void => {
    heard.push(`two ${value}`)
    listeners.delete('x', one)
    throw new Error('two')
  }
  t.equal(listeners.delete('x', one), false)
  t.equal(listeners.get('x', one), undefined)
  t.equal(listeners.add('x', two, 'extra'), true)
  t.equal(listeners.add('x', one, ''), false)
  t.equal(listeners.add('x', two, 'another'), false)
  t.equal(listeners.get('x', two), 'extra', 'the first one stays')
  listeners.call('x', 1)
  listeners.call('nobody', 1)
  t.strictSame([heard, logged], [['two 1'], ['a listener of "x" threw: two']])
  t.strictSame([...listeners.topics], ['x'])
  t.equal(listeners.delete('x', two), true)
  listeners.add('y', one, '')
  listeners.clear()
  listeners.call('y', 1)
  t.strictSame([...listeners.topics], [])
})

// Each one that was added heard the same message, and added the next one, without end.
t.test('a listener that adds another one to its topic', async t => {
  const listeners = new Listeners<[number], string>({ log() {} })
  const heard: number[] = []
  const add = (): void => {
    if (heard.length > 9) return
    listeners.add('x', value => [heard.push(value), add()], '')
  }
  add()
  listeners.call('x', 1)
  t.strictSame(heard, [1])
  listeners.call('x', 2)
  t.strictSame(heard, [1, 2, 2])
})

// It heard the same message: only as many were counted as had been there.
t.test('a listener that puts another one in the place of the next', async t => {
  const listeners = new Listeners<[number], string>({ log() {} })
  const heard: string[] = []
  const [two, three, four] = ['two', 'three', 'four'].map(name => () => void heard.push(name))
  listeners.add('x', () => [listeners.delete('x', two!), listeners.add('x', four!, '')], '')
  listeners.add('x', two!, '')
  listeners.add('x', three!, '')
  listeners.call('x', 1)
  t.strictSame(heard, ['three'])
  listeners.call('x', 2)
  t.strictSame(heard, ['three', 'three', 'four'])
})

// A listener that was async and rejected ended the process.
t.test('a listener that rejects, and a log that throws, disturb nobody', async t => {
  const logged: string[] = []
  const log = (message: string) => {
    logged.push(message)
    throw new Error('disk full')
  }
  const subscribers = new Subscribers({ log })
  let heard = 0
  const on_gap = async () => {
    throw new Error('gap')
  }
  const rejects = async () => {
    throw new Error('late')
  }
  subscribers.add('x', rejects, { on_gap })
  subscribers.add('x', () => void heard++, {})
  subscribers.call('x', Buffer.from('a'), 1)
  subscribers.gap('x')
  await new Promise(setImmediate)
  t.equal(heard, 1)
  t.strictSame(logged, ['a listener of "x" threw: late', 'a listener of "x" threw: gap'])
})

t.test('who is told of a gap', async t => {
  const subscribers = new Subscribers({ log() {} })
  const gaps: string[] = []
  subscribers.add('x', () => {}, { on_gap: () => void gaps.push('x') })
  subscribers.add('x', () => {}, {})
  subscribers.add('y', () => {}, { on_gap: () => void gaps.push('y') })
  subscribers.gap('x')
  t.strictSame(gaps, ['x'])
})
