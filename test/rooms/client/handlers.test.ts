/** Who is called, in which order, and what becomes of their errors. */

import t from 'tap'
import { codeOf, messageOf } from '../../../src/errors.ts'
import { checkRoom, Handlers } from '../../../src/rooms/client/handlers.ts'
import { turn } from '../../kit.ts'

function make(): { handlers: Handlers; logged: unknown[] } {
  const logged: unknown[] = []
  return { handlers: new Handlers(error => logged.push(error)), logged }
}

t.test('registering and removing', async t => {
  const { handlers } = make()
  const calls: string[] = []
  const one = (message: unknown): unknown => calls.push(`one ${message}`)
  const other = (message: unknown): unknown => calls.push(`other ${message}`)
  t.equal(handlers.add('message', one), one)
  handlers.add('message', other)
  handlers.add('message', one)
  handlers.add('open', one)
  t.equal(handlers.addRoom('r', one), one)
  handlers.addRoom('r', other)
  handlers.call('message', 1)
  t.same(calls.splice(0), ['one 1', 'other 1', 'one 1'], 'in their order, and twice if asked')
  t.ok(handlers.remove(one))
  handlers.call('message', 2)
  handlers.call('open')
  t.same(calls.splice(0), ['other 2', 'one 2'], 'the first of each kind is gone')
  handlers.callRoom('r', 3)
  handlers.callRoom('elsewhere', 3)
  t.same(calls.splice(0), ['one 3', 'other 3'], 'those of rooms are left alone')
  t.ok(handlers.removeRoom('r', one))
  t.notOk(handlers.removeRoom('r', one))
  t.notOk(handlers.removeRoom('elsewhere', one))
  t.ok(handlers.removeRoom('r', other))
  handlers.callRoom('r', 4)
  t.notOk(handlers.remove(() => {}))
  handlers.addRoom('r', one)
  handlers.addRoom('s', other)
  handlers.clearRooms('r')
  handlers.callRoom('r', 5)
  handlers.callRoom('s', 5)
  t.same(calls.splice(0), ['other 5'])
  handlers.clear()
  handlers.callRoom('s', 6)
  handlers.call('message', 6)
  t.same(calls, [])
})

t.test('while they run', async t => {
  const { handlers } = make()
  const calls: string[] = []
  const last = (): unknown => calls.push('last')
  handlers.add('open', () => {
    calls.push('first')
    handlers.remove(last)
    handlers.add('open', () => calls.push('new'))
  })
  handlers.add('open', last)
  handlers.call('open')
  t.same(calls, ['first'], 'what is removed is not called, what is new is called the next time')
  handlers.addRoom('r', () => handlers.clearRooms())
  handlers.addRoom('r', last)
  handlers.callRoom('r', 1)
  t.same(calls, ['first'])
})

t.test('errors', async t => {
  const { handlers, logged } = make()
  const told: unknown[] = []
  const calls: number[] = []
  handlers.add('message', () => {
    throw 'thrown'
  })
  handlers.add('message', async () => {
    throw 'rejected'
  })
  handlers.add('message', () => calls.push(1))
  handlers.call('message', 1)
  await turn()
  const shown = (errors: unknown[]): string[] =>
    errors.map(each => `${codeOf(each)} ${messageOf(each)}`)
  const hooks = ['ERR_HOOK thrown: "thrown"', 'ERR_HOOK thrown: "rejected"']
  t.same([shown(logged.splice(0)), calls.length], [hooks, 1], 'without a handler: logged')
  handlers.report(new Error('told already'), true)
  t.same(logged, [])
  handlers.add('error', error => told.push(error))
  handlers.call('message', 1)
  await turn()
  handlers.report(new Error('told already'), true)
  t.same([shown(told.splice(0)), logged], [[...hooks, ' told already'], []])
})

t.test('errors of those that hear of errors', async t => {
  const { handlers, logged } = make()
  handlers.add('error', async error => {
    throw `async ${messageOf(error)}`
  })
  handlers.add('error', error => {
    handlers.report(new Error(`about ${messageOf(error)}`))
    throw `sync ${messageOf(error)}`
  })
  handlers.report(new Error('x'))
  await turn()
  const texts = logged.map(each => (each instanceof Error ? each.message : each))
  t.same(texts, ['about x', 'sync x', 'async x'], 'they are logged, and go no further')
})

t.test('a promise that need not be awaited', async t => {
  const { handlers } = make()
  handlers.add('error', () => {})
  await t.rejects(handlers.told(Promise.reject(new Error('x'))), /x/)
  void handlers.told(Promise.reject(new Error('nobody looks at it')))
  await turn()
})

t.test('misuse', async t => {
  const { handlers } = make()
  const bad = 5 as never
  const handler = { code: 'ERR_INVALID_ARGUMENT', message: 'handler must be a function; got 5' }
  const room = { message: 'room must be text of 1 to 900 characters; got 5' }
  t.throws(() => handlers.add('open', bad), handler)
  t.throws(() => handlers.addRoom('r', bad), handler)
  t.throws(() => handlers.addRoom(bad, () => {}), room)
  // Removing took any value, and said that there was no such handler.
  t.throws(() => handlers.remove(bad), handler)
  t.throws(() => handlers.removeRoom('r', bad), handler)
  t.throws(() => handlers.removeRoom(bad, () => {}), room)
  t.throws(() => checkRoom(''), { code: 'ERR_INVALID_ARGUMENT' })
})
