/** The requests of people who have no connection yet. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Packet } from '../../../src/packets/packet.ts'
import { HttpRequests } from '../../../src/packets/router/http-requests.ts'
import { scene, turn, type World } from '../../kit.ts'

class FakeResponse extends PassThrough {
  status = 0
  headersSent = false
  text = ''
  writeHead(status: number): this {
    this.status = status
    this.headersSent = true
    return this
  }
  override end(text?: any): this {
    this.text = String(text)
    super.end()
    this.emit('close')
    return this
  }
}

function make({ engine }: World) {
  const asked: Packet[] = []
  const world = { isThere: true }
  const requests = new HttpRequests(engine, packet => {
    asked.push(packet)
    return world.isThere
  })
  const request = async (method: string, url: string, body = ''): Promise<FakeResponse> => {
    const incoming = Object.assign(new PassThrough(), { method, url })
    const response = new FakeResponse()
    response.resume()
    const isKnown = requests.handle(
      incoming as unknown as IncomingMessage,
      response as unknown as ServerResponse,
    )
    if (!isKnown) response.status = -1
    incoming.end(body)
    for (let n = 0; n < 5; n++) await turn()
    return response
  }
  const answer = (request_id: unknown): boolean => {
    const packet = new Packet({
      packet_type: 'provider_details',
      sender_id: 'mephisto',
      receiver_id: 'mephisto_server',
      data: { request_id },
    })
    return requests.answer(packet, packet.to_text())
  }
  return { requests, request, asked, answer, world }
}

const BODY = JSON.stringify({ provider_data: { worker_name: 'ann' } })

scene(t, 'is_alive, and paths that are not known', async (t, world) => {
  const { request } = make(world)
  t.match(await request('GET', '/is_alive?x=1'), { status: 200, text: '{"status":"Alive!"}\n' })
  for (const path of ['/', '/constructor', '/is_alive/x'])
    t.equal((await request('GET', path)).status, -1)
  const without = new FakeResponse()
  const { requests } = make(world)
  t.equal(requests.handle({} as IncomingMessage, without as unknown as ServerResponse), false)
})

scene(t, 'a question to the supervisor, and its answer', async (t, world) => {
  const { request, asked, answer } = make(world)
  const response = await request('POST', '/register_worker', BODY)
  t.match(asked[0], { type: 'register_worker', data: { provider_data: { worker_name: 'ann' } } })
  t.equal(response.status, 0)
  t.strictSame([answer('another'), answer(5), answer(undefined)], [false, false, false])
  const { request_id } = asked[0]!.data
  t.strictSame([answer(request_id), answer(request_id)], [true, false])
  t.match(response, { status: 200, text: /"packet_type":"provider_details"/ })
})

scene(t, 'what is refused', async (t, world) => {
  const { request, world: state, requests } = make(world)
  t.match(await request('GET', '/request_agent'), { status: 405 })
  for (const body of ['', '{', '{}', '{"provider_data":5}', 'null', '{"provider_data":null}'])
    t.match(await request('POST', '/request_agent', body), { status: 400 })
  t.match(await request('POST', '/request_agent', 'x'.repeat(1_100_000)), { status: 413 })
  state.isThere = false
  t.match(await request('POST', '/request_agent', BODY), { status: 503, text: /no supervisor/ })
  state.isThere = true
  const late = await request('POST', '/initial_task_data', BODY)
  await world.advance(31_000)
  t.match(late, { status: 504 })
  const closing = await request('POST', '/submit_onboarding', BODY)
  requests.close()
  t.match(closing, { status: 503, text: /closing/ })
})

scene(t, 'so many wait, and no more; one that goes away is forgotten', async (t, world) => {
  const { request, requests } = make(world)
  const first = await request('POST', '/request_agent', BODY)
  const asking = Array.from({ length: 1000 }, () => request('POST', '/request_agent', BODY))
  const last = (await Promise.all(asking)).filter(({ status }) => status !== 0)
  t.match(last, [{ status: 503, text: /busy/ }])
  first.emit('close')
  t.equal((await request('POST', '/request_agent', BODY)).status, 0)
  requests.close()
})

scene(t, 'a request that breaks off', async (t, world) => {
  const { requests } = make(world)
  const incoming = Object.assign(new PassThrough(), { method: 'POST', url: '/request_agent' })
  const response = new FakeResponse()
  requests.handle(incoming as unknown as IncomingMessage, response as unknown as ServerResponse)
  incoming.emit('error', new Error('reset'))
  t.equal(response.destroyed, true)
})
