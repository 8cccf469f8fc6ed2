/** The client of ws://, with servers that speak byte by byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Control } from '../../../../src/messages/message.ts'
import type { MessageChannel } from '../../../../src/messages/message-channel.ts'
import { postText } from '../../../../src/messages/texts.ts'
import {
  answerTo,
  closing,
  frame,
  listen,
  type RawConnection,
} from '../../../protocols/websocket/kit.ts'
import { fault, type Stage, stage, watch } from '../../kit.ts'

/** A channel that is open, and its peer. */
async function opened(
  world: Stage,
  url: string,
  peers?: RawConnection[],
): Promise<{ client: MessageChannel; peer: RawConnection; asked: string; peers: RawConnection[] }> {
  const all = peers ?? (await listen(world)).peers
  const client = world.context.init(url)
  client.open()
  await world.pump()
  const peer = all.at(-1)!
  const asked = peer.raw.news
  peer.write(answerTo(asked, /Protocol/.test(asked) ? 'Sec-WebSocket-Protocol: b\r\n' : ''))
  await world.pump()
  return { client, peer, asked, peers: all }
}

stage(t, 'ask, talk, the peer closes', async (t, world) => {
  const url = 'ws://localhost:1/chat?a=b;protocol=a,b;header.X-A=c'
  const { client, peer, asked } = await opened(world, url)
  t.match(asked, /^GET \/chat\?a=b HTTP[^]*Protocol: a, b\r\nX-A: c\r\n/)
  t.strictSame([client.state, [...client.dcaps]], ['active', ['process', 'poll_in']])
  t.match(client.info, { local: ['127.0.0.1', Number], remote: ['127.0.0.1', 1], protocol: 'b' })
  const log = watch(client)
  client.post('hello')
  client.post({ type: 'control', msgid: Control.WriteFlush })
  client.post({ type: 'control', msgid: Control.Connect })
  peer.write(Buffer.concat([frame('one'), frame(Buffer.from('two')), closing(1000, '', null)]))
  await world.pump()
  peer.end()
  await world.pump()
  t.same(
    log.filter(each => !each.startsWith('Update')),
    ['one', 'two', 'closing', 'closed'],
  )
  t.equal(await client.closed, 'remote')
  t.match(client.carries, { data: 'text' })
})

stage(t, 'texts without messages, where a message is a text', async (t, world) => {
  const { client, peer, peers } = await opened(world, 'ws://localhost:1')
  t.equal(postText(client, 'hi'), true)
  await world.pump()
  t.equal(peer.raw.got[0], 0x81)
  const other = await opened(world, 'ws://localhost:1;binary=yes', peers)
  t.equal(postText(other.client, 'hi'), true)
  await world.pump()
  t.equal(other.peer.raw.got[0], 0x82)
})

stage(t, 'refused: an error, and again', async (t, world) => {
  const { peers } = await listen(world)
  const client = world.context.init('ws://localhost:1')
  const errors: string[] = []
  client.on_error = error => void errors.push((error as Error).message)
  client.open()
  await world.pump()
  peers[0]!.write('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n')
  await world.pump()
  t.match([client.state, errors], ['error', [/status 403/]])
  client.close()
  t.equal(client.state, 'closed')
  client.open()
  await world.pump()
  peers[1]!.write(answerTo(peers[1]!.raw.news))
  await world.pump()
  t.equal(client.state, 'active')
})

stage(t, 'close: politely, and by force', async (t, world) => {
  const { client, peer, peers } = await opened(world, 'ws://localhost:1')
  client.post('last words')
  client.close()
  t.equal(client.state, 'closing')
  await world.pump()
  t.equal(peer.raw.news.length, 4 + 12 + 8 - 2 + 2 - 2 + 2)
  peer.write(closing(1000, '', null))
  peer.end()
  await world.pump()
  t.equal(client.state, 'closed')
  await opened(world, 'ws://localhost:1', peers)
  const again = await opened(world, 'ws://localhost:1', peers)
  again.client.post('lost')
  again.client.close(true)
  t.strictSame([again.client.state, again.client.info['unsent']], ['closed', 10])
})

stage(t, 'full, and ready again', async (t, world) => {
  const { client, peer } = await opened(world, 'ws://localhost:1;send-buffer-size=1kb')
  const log = watch(client)
  peer.suspend()
  t.equal(client.post('x'.repeat(200_000)), true)
  t.equal(client.post('x'), false)
  await world.pump()
  peer.resume()
  await world.pump()
  t.same(
    log.filter(each => !each.startsWith('Update')),
    ['WriteFull', 'WriteReady'],
  )
})

stage(t, 'suspended, before it opens and after', async (t, world) => {
  const { peers } = await listen(world)
  const client = world.context.init('ws://localhost:1')
  client.suspend()
  client.open()
  await world.pump()
  peers[0]!.write(Buffer.concat([Buffer.from(answerTo(peers[0]!.raw.news)), frame('held')]))
  await world.pump()
  const log = watch(client)
  client.resume()
  client.suspend()
  await world.pump()
  t.ok(log.includes('held'))
})

stage(t, 'the address, in the URL or with open', async (t, world) => {
  const { peers } = await listen(world)
  const client = world.context.init('ws://;path=/x')
  const errors: string[] = []
  client.on_error = error => void errors.push((error as Error).message)
  client.open()
  t.match(errors, [/the address is missing/])
  client.close()
  client.open('host=localhost:1')
  await world.pump()
  t.match(peers[0]!.raw.news, /^GET \/x HTTP/)
  client.close(true)
  for (const url of ['ws://a', 'ws://a:1;path=b', 'ws://a:1;frame=std;binary=no', 'ws://a:1;x=y'])
    t.not(
      fault(() => world.context.init(url)),
      'nothing',
      url,
    )
  t.match(
    fault(() => world.context.init('ws://a:1;cert=x')),
    /cert/,
    'which is for wss',
  )
})

stage(t, 'wss begins with TLS', async (t, world) => {
  const { peers } = await listen(world)
  const client = world.context.init('wss://localhost:1;verify=no')
  client.open()
  await world.pump()
  t.equal(peers[0]!.raw.news.charCodeAt(0), 0x16, 'a handshake of TLS')
  client.close(true)
})

stage(t, 'a peer that goes while the channel has failed or is closed', async (t, world) => {
  const { client, peer } = await opened(world, 'ws://localhost:1')
  client.on_error = () => {}
  peer.write(Buffer.from([0xff, 0xff]))
  await world.pump()
  peer.end()
  await world.pump()
  t.equal(client.state, 'error')
  client.close()
  t.equal(await client.closed, 'error')
})
