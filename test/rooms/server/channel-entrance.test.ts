import t from 'tap'
import { Message } from '../../../src/messages/message.ts'
import { ChannelEntrance } from '../../../src/rooms/server/channel-entrance.ts'
import type { Origin, Seat } from '../../../src/rooms/server/seat.ts'
import { type Stage, stage } from '../../messages/kit.ts'

async function make({ context, pump }: Stage, url: string) {
  const log: string[] = []
  const channel = await context.init(`${url};mode=server`).open()
  const reception = {
    enter: ({ link, address }: Origin): Seat | undefined => {
      log.push(`enter ${String(link)} ${address.length > 0}`)
      if (link === 3) return undefined
      return {
        receive: (data: Buffer) => void log.push(`receive ${data}`),
        ready: () => void log.push('ready'),
        gone: (error: string) => void log.push(`gone ${error}`),
      } as unknown as Seat
    },
    failed: (error: unknown) => void log.push(`failed ${(error as Error).message}`),
  }
  const entrance = new ChannelEntrance(channel, reception)
  await pump()
  const dial = async () => {
    const client = context.init(channel.client_url!).open()
    const got: string[] = []
    client.on_message = ({ data }) => void got.push(String(data))
    await pump()
    return { client, got }
  }
  return { channel, entrance, log, dial }
}

stage(t, 'members come, talk and go', async (t, stage) => {
  const { channel, entrance, log, dial } = await make(stage, 'mem://;size=300b')
  const [one, two, three] = [await dial(), await dial(), await dial()]
  t.same(log.splice(0), ['enter 1 true', 'enter 2 true', 'enter 3 true'])
  channel.emit(new Message({ data: 'of no peer' }))
  one.client.post('hi')
  three.client.post('is not heard')
  await stage.pump()
  t.same(log.splice(0), ['receive hi'])
  t.same(entrance.post(['a', 'b'], [1, 2]), [])
  await stage.pump()
  t.same(
    [one.got, two.got],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  )
  one.client.suspend()
  const long = 'x'.repeat(100)
  t.same(entrance.post([long, long], [1]), [])
  t.same(entrance.post([long], [1, 2]), [1])
  one.client.resume()
  await stage.pump()
  t.same(log.splice(0), ['ready'])
  t.same(entrance.post(['x'.repeat(1000)], [1]), [])
  t.match(log.splice(0), [/failed post: data/])
  entrance.part(2, 1008, 'bye')
  await stage.pump()
  t.same(two.got.at(-1), '{"status":"closing","code":1008,"reason":"bye"}')
  t.equal(two.client.state, 'closed')
  two.client.close()
  three.client.close()
  one.client.close()
  await stage.pump()
  t.same(log, ['gone ', 'gone '])
})

stage(t, 'shut', async (t, stage) => {
  const { channel, entrance, log, dial } = await make(stage, 'tcp://:1;frame=line')
  const { client, got } = await dial()
  entrance.shut(false)
  t.equal(channel.state, 'closing')
  t.same(entrance.post(['late'], [1]), [])
  entrance.part(1, 1000, '')
  await stage.pump()
  t.same([channel.state, client.state], ['closed', 'closed'])
  t.same(got, ['{"status":"closing","code":1001,"reason":"the server ends"}'])
  t.same(log.slice(1), ['gone '])
})

stage(t, 'WebSocket has codes', async (t, stage) => {
  const { entrance, log, dial } = await make(stage, 'ws://127.0.0.1:1/')
  const { client, got } = await dial()
  entrance.part(1, 3001, 'bye')
  await stage.pump()
  t.same([client.state, got], ['closed', []])
  t.match(log, [/enter/, /gone/])
  entrance.shut(false)
})

stage(t, 'who comes while it ends', async (t, stage) => {
  const { channel, entrance, log, dial } = await make(stage, 'mem://')
  channel.close = () => {}
  entrance.shut(false)
  const { got } = await dial()
  t.same([log, got], [[], ['{"status":"closing","code":1001,"reason":"the server ends"}']])
  delete (channel as { close?: unknown }).close
  channel.close()
})
