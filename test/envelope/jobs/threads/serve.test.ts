import t from 'tap'
import { Engine } from '../../../../src/engine.ts'
import { type Said, serve } from '../../../../src/envelope/jobs/threads/serve.ts'
import { makeLayersBy, remove_layers } from '../../../../src/envelope/layers/layer-table.ts'
import { until } from '../../../kit.ts'
import { shop } from './kit.ts'

t.test('as in a thread', async t => {
  const engine = Engine.instance()
  const { log } = engine
  t.teardown(() => {
    engine.log = log
    makeLayersBy()
    remove_layers('threads')
  })
  const { module, job } = shop(t)
  const said: Said[] = []
  let give: (job: unknown) => void = () => {}
  const port = {
    post: (message: unknown) => void said.push(message as Said),
    listen: (received: (message: any) => void) => void (give = received),
  }
  remove_layers('threads')
  await serve(port, { module: module.href })
  give(job('block'))
  await until(() => said.some(({ isDone }) => isDone))
  t.match(said, [
    { isReady: true },
    { layer: 'threads', topic: 'envelope:to:a.b' },
    { layer: 'threads', topic: 'envelope:to:a.b' },
    { isDone: true },
  ])
  said.length = 0
  give(job('throw'))
  await until(() => said.some(({ failed }) => failed))
  t.match(said.at(-1), { failed: 'broken', code: '' })
  engine.log('a line')
  t.same(said.at(-1), { log: 'a line' })
  await serve(port, { module: './nowhere.mjs' })
  t.match(said.at(-1), { failed: /^cannot load .\/nowhere.mjs/, code: 'ERR_MODULE' })
})
