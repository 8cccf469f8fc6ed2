import t from 'tap'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import {
  add_layers,
  closeLayers,
  get_layer,
  layersOpened,
  makeLayersBy,
  remove_layers,
} from '../../../src/envelope/layers/layer-table.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { thrown } from '../../kit.ts'

t.test('by name', async t => {
  const layer = new Layer(new MemoryRelay(), 'by-name')
  add_layers(layer)
  add_layers(layer)
  t.equal(get_layer('by-name'), layer)
  remove_layers('default')
  t.equal(get_layer(), get_layer('default'))
  t.equal(
    thrown(() => add_layers(new Layer(new MemoryRelay(), 'by-name'))),
    'ERR_INVALID_STATE',
  )
  t.equal(
    thrown(() => add_layers(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.throws(() => get_layer('by-nane'), { message: /did you mean by-name/ })
  remove_layers('by-name', 'none')
  t.equal(
    thrown(() => get_layer('by-name')),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('those of a worker', async t => {
  const relay = new MemoryRelay()
  makeLayersBy(name => new Layer(relay, name))
  t.equal(get_layer('any').relay, relay)
  await layersOpened()
  await closeLayers()
  t.equal(relay.publish('x', 'y'), false, 'it is closed')
  makeLayersBy()
  remove_layers('any')
  t.equal(
    thrown(() => get_layer('any')),
    'ERR_INVALID_ARGUMENT',
  )
  remove_layers('default')
})
