/** Which constructors run, as V8 says it. */

import t from 'tap'
import { isConstructing } from '../../src/channels/constructing.ts'

const answers = (): boolean[] => [
  isConstructing(new Set(['Outer'])),
  isConstructing(new Set(['Inner', 'Other'])),
  isConstructing(new Set(['answers'])),
  isConstructing(new Set()),
]

class Outer {
  answers = answers()
}

class Inner extends Outer {
  own = [1].map(answers)[0]
}

t.test('the constructor of one of these classes runs', async t => {
  t.same(answers(), [false, false, false, false])
  t.same(new Outer().answers, [true, false, false, false])
  t.same(new Inner().answers, [true, true, false, false], 'super() is called by the one below')
  t.same(new Inner().own, [false, true, false, false])
})

t.test('a class without a name', async t => {
  const made = new (class {
    is = isConstructing(new Set(['']))
    other = isConstructing(new Set(['Outer']))
  })()
  t.same([made.is, made.other], [true, false])
})

t.test('how errors are shown stays as it was', async t => {
  const { stackTraceLimit } = Error
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  t.teardown(() => {
    if (before === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace
    else Object.defineProperty(Error, 'prepareStackTrace', before)
  })
  const mine = (): string => 'mine'
  Error.prepareStackTrace = mine
  isConstructing(new Set(['x']))
  t.equal(Error.prepareStackTrace, mine)
  delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace
  isConstructing(new Set(['x']))
  t.notOk(Object.hasOwn(Error, 'prepareStackTrace'))
  t.equal(Error.stackTraceLimit, stackTraceLimit)
})

t.test('where nobody says which constructors run, none does', async t => {
  const { Error: original } = globalThis
  t.teardown(() => (globalThis.Error = original))
  globalThis.Error = class extends original {
    override stack = 'only text'
  } as ErrorConstructor
  t.equal(isConstructing(new Set(['x'])), false)
})
