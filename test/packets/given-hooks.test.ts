import t from 'tap'
import { takeHooks } from '../../src/packets/given-hooks.ts'

class Owner {
  on_lost(): string {
    return 'of the class'
  }
  on_error(): string {
    return 'of the class'
  }
}

t.test(
  'a hook that is given takes the place of the method, one that is undefined does not',
  async t => {
    const owner = new Owner()
    takeHooks(owner, { on_lost: () => 'given', on_error: undefined })
    t.equal(owner.on_lost(), 'given')
    t.equal(owner.on_error(), 'of the class')
    t.strictSame(Object.keys(owner), [], 'it is no name of the program')
    owner.on_lost = () => 'assigned'
    t.equal(owner.on_lost(), 'assigned')
  },
)
