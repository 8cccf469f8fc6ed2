/** Requests to JetStream, and how its errors are read. */

import t from 'tap'
import { Api, quietly, readAnswer } from '../../../../src/protocols/nats/jetstream/api.ts'
import { scene, thrown, turn } from '../../../kit.ts'
import { headed, jet } from './kit.ts'

scene(t, 'a call, by a domain or without one', async (t, world) => {
  const { server, client } = await jet(world, {
    'STREAM.INFO.A': () => '{"x":1}',
    'STREAM.INFO.B': (_, __, reply) => headed(reply, ' 503'),
  })
  const api = new Api(client, '', 100)
  const answers = ['STREAM.INFO.A', 'STREAM.INFO.B', 'SILENT'].map((name, at) =>
    api.call(name, at === 1 ? {} : undefined).catch(error => error),
  )
  await world.pump()
  t.same(await answers[0], { x: 1 })
  t.match(await answers[1], { code: 'ERR_NATS_JETSTREAM', status: 503, message: /no JetStream/ })
  await world.advance(100)
  t.match(await answers[2], { code: 'ERR_NATS_TIMEOUT' })
  t.same(server.asked, ['$JS.API.STREAM.INFO.A', '$JS.API.STREAM.INFO.B {}', '$JS.API.SILENT'])
  t.equal(new Api(client, 'hub', undefined).subject('A'), '$JS.hub.API.A')
  let isCalled = false
  api.after(5, () => (isCalled = true))
  await world.advance(5)
  t.equal(isCalled, true)
  client.close()
})

t.test('what is no answer, and what is an error', async t => {
  for (const text of ['', '5', 'null', '{'])
    t.equal(
      thrown(() => readAnswer(text)),
      'ERR_NATS_JETSTREAM',
    )
  try {
    readAnswer('{"error":{"code":404,"err_code":10059,"description":"stream not found"}}')
  } catch (error) {
    t.match(error, { said: 'stream not found', status: 404, err_code: 10059 })
  }
  t.same(readAnswer('{"a":[]}'), { a: [] })
})

t.test('a promise that may be left alone', async t => {
  void quietly(async () => readAnswer('no JSON'))
  await turn()
  t.equal(await quietly(async () => 5), 5)
})
