/** Where Bun is found, what is said where there is none, and the error that it has no words for. */

import t from 'tap'
import { brokenPipe, findBun } from '../../../src/io/bun/bun.ts'
import { withBun } from './kit.ts'

t.test('is found by what it can do', async t => {
  const bun = withBun(t)
  t.equal(findBun(), bun)
})

t.test('elsewhere the error says what runs here', async t => {
  for (const [versions, name] of [
    [{ node: '26.3.0' }, 'Node 26.3.0'],
    [{ node: '26.3.0', deno: '2.9.6' }, 'Deno 2.9.6'],
    [{ node: '26.3.0', bun: '0.1.0' }, 'Bun 0.1.0'],
  ] as const)
    t.throws(() => findBun(versions), {
      code: 'ERR_UNSUPPORTED_OPTION',
      message:
        `BunNetwork needs Bun.listen, and this is ${name}. ` +
        'Use the default network, or FastNetwork on Node',
    })
})

t.test('a write that fails has the error of Node', async t => {
  const { code, syscall, message } = brokenPipe()
  t.same([code, syscall, message.split(':')[0]], ['EPIPE', 'write', 'write EPIPE'])
})
