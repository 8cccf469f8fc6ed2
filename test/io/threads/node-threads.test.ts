import t from 'tap'
import { nodeThreads } from '../../../src/io/threads/node-threads.ts'
import { bareThreads } from '../../built.ts'
import { until } from '../../kit.ts'

bareThreads()

/** A thread whose module is this text; and what it reports. */
function started(text: string, data: unknown = null) {
  const heard: unknown[] = []
  const module = `data:text/javascript,${encodeURIComponent(text)}`
  const thread = nodeThreads.start(module, data, {
    received: message => heard.push(message),
    ended: error => heard.push(error?.message ?? 'ended'),
  })
  thread.hold(true)
  return { heard, thread }
}

t.test('messages go both ways, until it is killed', async t => {
  const text = `export function serve(port, data) {
    port.post(data)
    port.listen(message => port.post([message]))
  }`
  const { heard, thread } = started(text, { x: 1 })
  thread.post('early')
  await until(() => heard.length === 2)
  thread.hold(false)
  thread.hold(true)
  thread.kill()
  await until(() => heard.length === 3)
  t.same(heard, [{ x: 1 }, ['early'], 'ended'])
})

t.test('it ends by itself, or by what it throws', async t => {
  const ends = started('export function serve() {}')
  await until(() => ends.heard.length === 1)
  t.same(ends.heard, ['ended'])
  const throws = started('export function serve() { throw new TypeError("broken") }')
  const odd = started('export function serve() { throw "odd" }')
  await until(() => throws.heard.length + odd.heard.length === 2)
  t.same([...throws.heard, ...odd.heard], ['broken', 'odd'])
})
