import t from 'tap'
import { noop } from '../../src/core/noop.ts'
import { Message } from '../../src/messages/message.ts'
import { Outlet } from '../../src/messages/outlet.ts'
import type { State } from '../../src/types.ts'
import { fate, scene, turn } from '../kit.ts'
import { params } from './kit.ts'

scene(t, 'results, errors, and promises that hold the next message', async (t, { engine }) => {
  const log: string[] = []
  let result: unknown
  const owner = {
    engine,
    name: 'x',
    state: 'active' as State,
    on_message: () => result,
    on_control: () => void log.push('control'),
  }
  const outlet = new Outlet(
    owner,
    params('x://'),
    (error, isLate) => log.push(`failed ${error}${isLate ? ', late' : ''}`),
    () => log.push('released'),
  )
  const data = new Message({ data: 'x' })
  t.equal(outlet.emit(data), undefined)
  result = null
  t.equal(outlet.emit(data), undefined, 'no promise')
  outlet.emit(new Message({ type: 'control' }))
  outlet.emit(new Message({ type: 'channel' }))
  t.strictSame(log.splice(0), ['control'], 'the others are for callbacks alone')
  const control = (): void => void log.push('never')
  outlet.callbacks.add(control, 'control')
  outlet.callbacks.add(() => undefined, 'data')
  outlet.emit(data)
  outlet.callbacks.delete(control, 'control')
  t.strictSame(log, [])

  const go: (() => void)[] = []
  const slow = (): Promise<void> => new Promise(resolve => go.push(resolve))
  result = slow()
  const one = outlet.emit(data) as Promise<void>
  t.equal(outlet.isHeld, true)
  go[0]!()
  await one
  t.strictSame([outlet.isHeld, log.splice(0)], [false, ['released']])

  result = undefined
  outlet.callbacks.add(() => 5, 'data')
  t.equal(outlet.emit(data), undefined)
  outlet.callbacks.add(slow, 'data')
  outlet.callbacks.add(() => slow(), 'data')
  const both = outlet.emit(data) as Promise<void>
  go[1]!()
  t.equal(await fate(both), 'open', 'one of two')
  go[2]!()
  await both
  result = slow()
  const all = outlet.emit(data) as Promise<void>
  go.splice(4).forEach(each => each())
  t.equal(await fate(all), 'open', 'the hook and the callbacks')
  go.forEach(each => each())
  await all
  log.length = 0

  const texts = new Outlet(owner, params('x://'), error => log.push(`failed ${error}`), noop)
  t.equal(texts.emitText('x', 1), false, 'nobody takes texts')
  let answer: unknown
  texts.callbacks.add(noop, 'data', (...got) => {
    log.push(got.join())
    if (answer === 'throws') throw 'up'
    return answer
  })
  t.equal(texts.emitText('x', 1), undefined)
  answer = Promise.resolve()
  t.equal(await texts.emitText('y', undefined), undefined)
  answer = 'throws'
  t.equal(texts.emitText('z', 2), undefined)
  t.strictSame(log.splice(0), ['x,1', 'y,', 'z,2', 'failed up'])

  result = Promise.reject(new Error('no'))
  outlet.callbacks.add(() => {
    throw 'up'
  }, 'data')
  void outlet.emit(data)
  owner.on_message = () => {
    throw 'hook'
  }
  void outlet.emit(data)
  go.forEach(each => each())
  await turn()
  t.strictSame(log.splice(0), [
    'failed up',
    'failed hook',
    'failed up',
    'failed Error: no',
    'released',
  ])

  // What was left of one opening held the messages of the next, and its error came to on_error
  // after on_close.
  outlet.hold(Promise.reject(new Error('of the last opening')))
  outlet.begin()
  t.equal(outlet.isHeld, false)
  owner.state = 'closed'
  outlet.hold(Promise.reject(new Error('of this one')))
  await turn()
  t.strictSame(log, [
    'failed Error: of the last opening, late',
    'failed Error: of this one, late',
    'released',
  ])
})

scene(t, 'messages are counted and logged', async (t, { engine, logged }) => {
  const owner = { engine, name: 'x', state: 'active' as const, on_message() {}, on_control() {} }
  const outlet = new Outlet(
    owner,
    params('x://;stat=yes;dump=frame'),
    () => {},
    () => {},
  )
  outlet.posted(new Message({ data: 'a' }), true)
  outlet.posted(new Message({ data: 'bc' }), false)
  outlet.emit(new Message({ data: 'def' }))
  t.match(outlet.stat, { rx: 1, rxb: 3, tx: 1, txb: 1 })
  t.strictSame(logged, [
    'x: post: data, msgid 0, 1 bytes',
    'x: not posted: data, msgid 0, 2 bytes',
    'x: recv: data, msgid 0, 3 bytes',
  ])
  const silent = new Outlet(
    owner,
    params('x://'),
    () => {},
    () => {},
  )
  silent.posted(new Message(), true)
  t.strictSame([silent.stat, logged.length], [undefined, 3])
})

scene(t, 'is it watched?', async (t, { engine }) => {
  const owner = { engine, name: 'x', state: 'active' as State } as never
  const outlet = (url: string): Outlet =>
    new Outlet(
      owner,
      params(url),
      () => {},
      () => {},
    )
  t.same(
    ['x://', 'x://;stat=yes', 'x://;dump=yes'].map(url => outlet(url).isWatched),
    [false, true, true],
  )
})
