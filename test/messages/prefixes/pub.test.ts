import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { Control } from '../../../src/messages/message.ts'
import type { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { thrown } from '../../kit.ts'
import { dataOf, fault, stage, text, watch } from '../kit.ts'

/** As the original sends them. */
const HELLO = '0a00000064000000000000000000000001000800000001000001'
const REPLY = '0a00000065000000000000000000000001000900000000000000'
const DATA = '030000000a0000000a0000000000000078787800000000feffffff0b00000000000000'

class Raw extends Client {
  hex = ''
  override on_read(data: Buffer): void {
    this.hex += data.toString('hex')
  }
}

for (const url of ['mem://', 'tcp://127.0.0.1:1', 'unix:///tmp/pub'])
  stage(t, `what is posted goes to all subscribers: ${url}`, async (t, { context, pump }) => {
    const pub = context.init(`pub+${url};mode=server;name=p`).open()
    await pump()
    t.match(pub.info, { seq: -1n, subscribers: 0 })
    pub.post({ data: 'nobody', seq: 5n })
    const subs = [context.init(pub.client_url!), context.init(pub.client_url!)]
    const logs = subs.map(each => {
      const log: string[] = []
      each.callback_add(message => void log.push(text(message)), 'data')
      each.open()
      return log
    })
    t.equal(subs[0]!.state, 'opening')
    await pump()
    t.match([subs[0]!.state, subs[0]!.info], ['active', { seq: 5n }])
    pub.post({ data: 'a', msgid: 7, seq: 6n })
    t.equal(
      thrown(() => pub.post({ data: 'b', seq: 6n })),
      'ERR_INVALID_ARGUMENT',
    )
    await pump()
    t.strictSame(logs, [['a #7 @6'], ['a #7 @6']])
    t.match([pub.info, subs[1]!.info], [{ subscribers: 2 }, { seq: 6n }])
    t.equal(
      thrown(() => subs[0]!.post('x')),
      'ERR_INVALID_STATE',
    )
    t.equal(subs[0]!.post({ type: 'control', msgid: 99 }), true)
    subs[0]!.close()
    await pump()
    t.match(pub.info, { subscribers: 1 })
    pub.close()
    await pump()
    t.strictSame([subs[1]!.state, pub.state], ['closed', 'closed'])
  })

stage(t, 'on the wire: the bytes of the original', async (t, { context, engine, pump }) => {
  const pub = context.init('pub+tcp://:1;mode=server').open()
  await pump()
  pub.post({ seq: 9n })
  const raw = new Raw({ engine }).connect(1)
  await pump()
  raw.write(Buffer.from(HELLO, 'hex'))
  await pump()
  pub.post({ msgid: 10, seq: 10n, data: 'xxx' })
  pub.post({ msgid: -2, seq: 11n })
  await pump()
  t.equal(raw.hex, REPLY + DATA)
  raw.write(Buffer.from(HELLO, 'hex'))
  pub.on_error = error => void t.match(error, { code: 'ERR_PUB' })
  await pump()
  t.equal(raw.state, 'closed', 'one hello')
  const server = context.init('tcp://:2;mode=server').open()
  const got: string[] = []
  server.on_message = ({ msgid, data, addr }) => {
    got.push(`${msgid} ${data.toString('hex')}`)
    server.post({ msgid: got.length === 1 ? 101 : 5, data: Buffer.alloc(10, 1), addr })
  }
  for (let count = 0; count < 2; count++) {
    const sub = context.init('pub+tcp://127.0.0.1:2')
    sub.on_error = () => {}
    sub.open()
    await pump()
    t.match([sub.state, sub.error], ['error', { code: 'ERR_PUB' }], 'another version; no hello')
    sub.close(true)
  }
  t.strictSame(got[0], '100 01000800000001000001')
})

stage(t, 'a publisher that goes on where an earlier one ended', async (t, { context, pump }) => {
  const pub = context.init('pub+mem://;mode=server;name=p').open('last-seq=41')
  const sub = context.init('pub+mem://;master=p').open()
  await pump()
  t.match([pub.info, sub.info], [{ seq: 41n }, { seq: 41n }])
  pub.close()
  await pump()
  pub.open()
  t.match(pub.info, { seq: 41n }, 'without the parameter: where it ended')
})

stage(t, 'one that is too slow', async (t, { context, pump }) => {
  const pub = context.init('pub+mem://;mode=server;name=p;size=64b').open()
  const errors: string[] = []
  pub.on_error = error => void errors.push(error.message)
  const [slow, good] = [context.init('pub+mem://;master=p'), context.init('pub+mem://;master=p')]
  slow.open()
  good.open()
  await pump()
  const log = watch(pub)
  const texts = dataOf(good)
  slow.suspend()
  for (let seq = 1n; seq < 4n; seq++) {
    pub.post({ data: 'x'.repeat(30), seq })
    await pump()
  }
  t.strictSame(errors, ['subscriber 1 is too slow, and is disconnected'])
  t.strictSame([texts.length, log.includes('WriteFull')], [3, false])
  const said = watch(good)
  ;(good as Prefix).child.emit({ type: 'control', msgid: 99 })
  t.strictSame(said, ['control 99'], 'others are passed on')
  slow.resume()
  await pump()
  t.equal(slow.state, 'closed')
  pub.post({ type: 'control', msgid: Control.Disconnect, addr: 2 })
  await pump()
  t.equal(good.state, 'closed')
})

stage(t, 'below reopen+, and URLs', async (t, { context, clock, pump }) => {
  const pub = context.init('pub+reopen+mem://;mode=server;name=p;timeout-min=1ms').open()
  pub.on_error = () => {}
  context.init('pub+mem://;master=p').open()
  await pump()
  t.match(pub.info, { subscribers: 1 })
  const { carrier } = pub as unknown as { carrier: { close(force: boolean): void } }
  carrier.close(true)
  t.match(pub.info, { subscribers: 0 })
  clock.advance(10)
  t.equal(context.init('pub+null://').client_url, undefined)
  t.equal(context.init('pub+null://;mode=server').client_url, undefined)
  t.match(
    fault(() => context.init('pub+tcp://h:1;frame=line')),
    'frame must be one that carries msgid and seq, such as std; got "line"',
  )
})

// A limit that was used up dropped the subscribers, as too slow; and each hello by udp made another
// subscriber, up to the end of the memory.
stage(t, 'what cannot stand below it', async (t, { context }) => {
  t.match(
    fault(() => context.init('pub+rate+mem://;mode=server;speed=1kb')),
    'rate+ must come first: rate+pub+mem',
  )
  context.init('pub+rate+mem://;name=subscriber;rate.dir=r;speed=1kb')
  for (const side of ['server', 'client'])
    t.match(
      fault(() => context.init(`pub+udp://127.0.0.1:1;mode=${side}`)),
      'pub+ needs connections',
    )
})
