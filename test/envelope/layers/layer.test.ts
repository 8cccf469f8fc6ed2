import t from 'tap'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { fate, scene, thrown } from '../../kit.ts'
import { event, member } from './kit.ts'

scene(t, 'one member, of this process or of another', async (t, { engine, pump }) => {
  const relay = new MemoryRelay({ engine })
  const [one, other] = [new Layer(relay), new Layer(relay)]
  const [ann, bob] = [member('a.one!1'), member('a.other!1')]
  await one.add(ann)
  await one.add(member('a.one!2'))
  await other.add(bob)
  t.equal(one.send('a.one!1', event('1')), true)
  one.send('a.other!1', event('2'))
  other.send('a.one!1', event('3'))
  other.send('a.one!9', event('4'))
  t.strictSame(ann.log, [], 'nothing is delivered inside the call')
  await pump()
  t.strictSame([ann.log.splice(0), bob.log.splice(0)], [['1', '3'], ['2']])
  one.remove(ann)
  one.remove(ann)
  one.remove(bob)
  other.send('a.one!1', event('5'))
  await pump()
  t.strictSame(ann.log, [])
})

scene(t, 'groups', async (t, { engine, pump }) => {
  const relay = new MemoryRelay({ engine })
  const [one, other] = [new Layer(relay), new Layer(relay)]
  const [ann, amy, bob] = [member('a.one!1'), member('a.one!2'), member('a.other!1')]
  await Promise.all([one.add(ann), one.add(amy), other.add(bob)])
  await one.group_add('g', 'a.one!1')
  await one.group_add('g', 'a.one!2')
  await one.group_add('g', 'a.other!1')
  await pump()
  t.strictSame([...bob.subscriptions], ['g'], 'another process was told')
  other.group_send('g', event('1'))
  await pump()
  t.strictSame([ann.log, amy.log, bob.log], [['1'], ['1'], ['1']])
  other.group_discard('g', 'a.one!1')
  one.group_discard('g', 'a.one!2')
  one.group_discard('g', 'a.one!2')
  await pump()
  t.strictSame([...ann.subscriptions, ...amy.subscriptions], [])
  one.group_send('g', event('2'))
  await pump()
  t.strictSame([ann.log, amy.log, bob.log], [['1'], ['1'], ['1', '2']])
  await one.group_add('g', 'a.one!1')
  one.remove(ann)
  t.strictSame([...ann.subscriptions], [])
})

scene(t, 'a relay that is closed', async (t, { engine, pump }) => {
  const relay = new MemoryRelay({ engine })
  const layer = new Layer(relay, 'other')
  t.strictSame([layer.name, layer.relay], ['other', relay])
  const ann = member('a.one!1')
  await layer.add(ann)
  layer.send('a.one!1', event('1'))
  // As another process sends it.
  relay.publish('envelope:to:a.one', '{"to":"a.one!1","join":"g"}')
  relay.subscribe = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ERR_GONE' }))
  await pump()
  t.strictSame(ann.log, ['1', 'ERR_GONE'])
  // What an async on_error rejected with ended the process.
  ann.on_error = () => Promise.reject(new Error('odd'))
  relay.publish('envelope:to:a.one', '{"to":"a.one!1","join":"h"}')
  await pump()
  await relay.close()
  t.equal(layer.send('a.one!1', event('2')), false)
  t.equal(layer.group_send('g', event('2')), false)
})

t.test('misuse', async t => {
  const layer = new Layer(new MemoryRelay())
  for (const call of [
    () => new Layer(5 as never),
    () => new Layer(new MemoryRelay(), 'a b'),
    () => layer.send('', event('1')),
    () => layer.send('a.b!1', undefined as never),
    () => layer.group_send('a', {} as never),
    () => layer.remove(undefined as never),
    () => layer.group_send('a b', event('1')),
    () => layer.group_discard('a b', 'a'),
    () => layer.group_discard('a', ''),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  const nobody = layer.add(null as never)
  for (const promise of [
    nobody,
    layer.add(member('')),
    layer.group_add('', 'a'),
    layer.group_add('a', ''),
  ])
    t.equal(await fate(promise), 'rejected ERR_INVALID_ARGUMENT')
})
