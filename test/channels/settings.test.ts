/** Settings: options, class fields and assignments, on a class that has nothing else. */

import t from 'tap'
import {
  adoptFields,
  applyOptions,
  defineSettings,
  settingsFrom,
  settingsOf,
} from '../../src/channels/settings.ts'
import { checkBoolean, checkCount } from '../../src/core/checks.ts'
import { InvalidArgumentError } from '../../src/errors.ts'
import { thrown } from '../kit.ts'

interface Values {
  readonly size: number
  readonly label: string
}

function checkLabel(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(name, 'a string', value)
  return value.toLowerCase()
}

class Base {
  declare size: number
  declare label: string
  #values: Values = { size: 1, label: 'none' }
  /** Every assignment that took effect. */
  readonly log: string[] = []

  #isOpen = false

  constructor(options: object = {}) {
    applyOptions(this, options, ['other'])
  }

  get state(): 'active' | 'closed' {
    return this.#isOpen ? 'active' : 'closed'
  }

  open(): void {
    adoptFields(this)
    this.#isOpen = true
  }

  static {
    const checks = {
      size: (name: string, value: unknown) => checkCount(name, value, 1),
      label: checkLabel,
    }
    defineSettings<Base>(
      Base.prototype,
      settingsFrom(
        checks,
        base => base.#values,
        (base, name, value) => {
          base.#values = { ...base.#values, [name]: value }
          base.log.push(`${name}=${value}`)
        },
      ),
    )
  }
}

/** Has a setting of its own besides. */
class Derived extends Base {
  declare extra: boolean
  #extra = false

  static {
    defineSettings<Derived>(Derived.prototype, {
      extra: {
        get: one => one.#extra,
        set: (one, value) => void (one.#extra = checkBoolean('extra', value)),
      },
    })
  }
}

t.test('as options', async t => {
  const base = new Base({ size: 5, label: 'ABC', other: 1 })
  t.same([base.size, base.label], [5, 'abc'])
  t.equal(new Base({ size: undefined }).size, 1, 'undefined is left out')
  t.throws(() => new Base({ sise: 5 }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'Base: there is no option "sise"; did you mean size?',
  })
  t.throws(() => new Base({ size: 0 }), {
    message: 'size must be an integer of at least 1, or Infinity; got 0',
  })
  t.equal(
    thrown(() => new Base({ extra: true })),
    'ERR_INVALID_ARGUMENT',
    'of a class below',
  )
  const derived = new Derived({ size: 7 })
  t.same([derived.size, derived.extra], [7, false])
})

t.test('by assignment', async t => {
  const derived = new Derived()
  derived.size = 2
  derived.extra = true
  t.same([derived.size, derived.label, derived.extra], [2, 'none', true])
  t.throws(
    () => {
      derived.label = 5 as never
    },
    { message: 'label must be a string; got 5' },
  )
  t.throws(
    () => {
      derived.extra = 1 as never
    },
    { message: 'extra must be true or false; got 1' },
  )
  t.equal(derived.label, 'none', 'an invalid value changes nothing')
  t.same(Object.keys(derived), ['log'], 'a setting is no property of the object')
})

t.test('as class fields', async t => {
  class Fields extends Derived {
    before = 1
    override size = 3
    between = 2
    override label = 'FIELD'
    #secret = 3
    override extra = true
    after = 4
    arrow = (): number => this.size

    get secret(): number {
      return this.#secret
    }
  }
  const one = new Fields()
  t.same(one.log, [], 'not assigned by the constructor')
  adoptFields(one)
  t.same(
    [one.size, one.label, one.extra, one.before, one.between, one.after, one.arrow(), one.secret],
    [3, 'field', true, 1, 2, 4, 3, 3],
  )
  t.same(one.log, ['size=3', 'label=field'])
  t.same(
    Object.keys(one),
    ['log', 'before', 'between', 'after', 'arrow'],
    'the others are as they were',
  )
  adoptFields(one)
  t.equal(one.log.length, 2, 'once')
  one.size = 4
  t.same(one.log.at(-1), 'size=4', 'from now on an assignment takes effect')

  const early = new Fields()
  early.size = 9
  adoptFields(early)
  t.equal(early.size, 9, 'assigned before')

  const given = new Fields({ size: 5, label: undefined })
  adoptFields(given)
  t.same([given.size, given.label], [5, 'field'], 'an option wins over a class field')
  t.same(given.log, ['size=5', 'label=field'])

  class Below extends Fields {
    override size = 6
  }
  const below = new Below()
  adoptFields(below)
  t.equal(below.size, 6)
  adoptFields({ size: 1 })
})

// TypeScript compiles fields to assignments for targets below ES2022. The field won then, for good.
t.test('REGRESSION: an option wins over a field that is compiled to an assignment', async t => {
  class Assigned extends Base {
    constructor(options?: object) {
      super(options)
      this.size = 3
      this.label = 'field'
    }
  }
  class Below extends Assigned {
    constructor(options?: object) {
      super(options)
      Object.assign(this, { size: 4 })
    }
  }
  const Anonymous = (() =>
    class extends Base {
      constructor(options?: object) {
        super(options)
        this.size = 5
      }
    })()
  const sizes = (Class: new (options?: object) => Base, options?: object): number[] => {
    const one = new Class(options)
    const before = one.size
    one.open()
    return [before, one.size]
  }
  t.same(sizes(Assigned, { size: 9 }), [9, 9])
  t.same(sizes(Below, { size: 9 }), [9, 9])
  t.same(sizes(Anonymous, { size: 9 }), [9, 9])
  t.same(sizes(Below, { label: 'x' }), [4, 4], 'another setting')
  t.same(sizes(Assigned), [3, 3])
  t.throws(() => new Below({ size: 0 }))

  /** Its constructor is another one than that of the object. */
  class Pool {
    readonly one = new Assigned({ size: 9 })
    readonly plain = new Base({ size: 9 })
    constructor() {
      this.one.size = this.plain.size = 6
    }
  }
  const { one, plain } = new Pool()
  t.same([one.size, plain.size], [6, 6], 'what is assigned after that wins over both')
  one.open()
  one.size = 7
  t.equal(one.size, 7)
  t.same(one.log, ['size=9', 'label=field', 'size=6', 'size=7'])
})

t.test('as fields in plain JavaScript, of any kind', async t => {
  const base = new Base()
  Object.defineProperty(base, 'hidden', { value: 1, enumerable: false })
  Object.defineProperty(base, 'size', {
    value: 8,
    enumerable: true,
    configurable: true,
    writable: false,
  })
  Object.defineProperty(base, 'twice', {
    get: () => base.size * 2,
    enumerable: true,
    configurable: true,
  })
  adoptFields(base)
  t.same([base.size, (base as unknown as { twice: number }).twice], [8, 16])
})

// One invalid field was enough to lose all others: they had been taken off the object and were not
// put back. The invalid one was lost, too, so the next opening succeeded, with the default.
t.test('an invalid class field', async t => {
  class Wrong extends Base {
    override size = -1
    mine = 'kept'
    override label = 'fine'
  }
  const one = new Wrong()
  for (let round = 0; round < 2; round++) {
    t.throws(() => adoptFields(one), {
      message: 'size must be an integer of at least 1, or Infinity; got -1',
    })
    t.same([one.size, one.mine, one.label], [-1, 'kept', 'fine'])
  }
  one.size = 2
  adoptFields(one)
  t.same([one.size, one.mine, one.label], [2, 'kept', 'fine'])
  one.size = 3
  t.same(one.log, ['label=fine', 'size=2', 'size=3'])

  const given = new Wrong({ label: 'option' })
  t.throws(() => adoptFields(given))
  given.size = 4
  adoptFields(given)
  t.same([given.size, given.label], [4, 'option'], 'the options still win after that')
})

t.test('the settings of a class, and the class that has the last of them', async t => {
  class Below extends Derived {}
  t.same(settingsOf(Below.prototype), {
    owner: Derived.prototype,
    names: ['size', 'label', 'extra'],
  })
  t.same(settingsOf({}), { owner: Object.prototype, names: [] })
})

t.test('the settings of a class, and the prototype that defines the last of them', async t => {
  class Deeper extends Base {}
  t.strictSame(settingsOf(Deeper.prototype), { owner: Base.prototype, names: ['size', 'label'] })
  const none = settingsOf(class {}.prototype)
  t.strictSame(none.names, [])
})
