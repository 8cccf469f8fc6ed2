/**
 * One life of a channel ends before the next begins, on every kind of channel.
 *
 * A channel may be opened again in any hook of its end. Where opening calls hooks at once, as with
 * message channels, on_close of the first opening came after on_state('active') of the second, and
 * what a callback had closed was told before what it had been told.
 */

import t from 'tap'
import { Client, Datagram, Server } from '../../src/index.ts'
import type { State, StateSignal } from '../../src/types.ts'
import { until } from '../kit.ts'
import { stage, type Stage } from '../messages/kit.ts'

/** What is needed of a channel here. */
interface Living {
  readonly state: State
  on_state(state: StateSignal, previous: State): void
  on_close(reason: string): void
  on_error(error: Error): void
  close(): void
}

type Made = [channel: Living, open: () => void, done?: () => void]

const MESSAGES = [
  ...[
    'null://',
    'direct://',
    'mem://',
    'zero://;pending=no',
    'timer://',
    'echo://',
    'mem://;mode=server',
  ],
  ...['reopen+null://', 'rate+null://;speed=1kb', 'filter+null://;messages=1', 'deflate+mem://'],
  ...['tcp://127.0.0.1:0;mode=server', 'udp://127.0.0.1:0;mode=server'],
  ...['ws://127.0.0.1:0;mode=server', 'pub+mem://;mode=server', 'rate+reopen+mem://;speed=1kb'],
]

/** Each kind: makes a channel, and the function that opens it. */
const KINDS: Readonly<Record<string, (stage: Stage) => Made>> = {
  Client: ({ engine }) => {
    const server = new Server({ engine }).listen(4040)
    const client = new Client({ engine })
    return [client, () => client.connect(4040), () => server.close()]
  },
  Server: ({ engine }) => {
    const server = new Server({ engine })
    return [server, () => server.listen(4041)]
  },
  Datagram: ({ engine }) => {
    const datagram = new Datagram({ engine })
    return [datagram, () => datagram.listen(4042)]
  },
  ...Object.fromEntries(
    MESSAGES.map(url => [
      url,
      ({ context }: Stage): Made => {
        const channel = context.init(url)
        return [channel, () => channel.open()]
      },
    ]),
  ),
}

/** Where it is opened again. */
const AGAIN = ['closed', 'destroy', 'on_close'] as const

for (const [kind, make] of Object.entries(KINDS)) {
  for (const again of AGAIN) {
    const isMessages = MESSAGES.includes(kind)
    // A message channel that has closed is not destroyed.
    if (isMessages && again === 'destroy') continue
    for (const isClosed of [false, true]) {
      const how = `${again}${isClosed ? ', and closed at once' : ''}`
      stage(t, `${kind}: opened again in ${how}`, async (t, world) => {
        const [channel, open, done] = make(world)
        const told: string[] = []
        let openings = 1
        const tell = (what: string): void => {
          told.push(what)
          if (!what.startsWith(again) || openings === 2) return
          openings = 2
          open()
          if (isClosed) channel.close()
        }
        channel.on_error = error => void told.push(error.message)
        channel.on_state = state => {
          tell(state)
          if (state === 'active' && !(isClosed && openings === 2)) world.engine.callback(close)
        }
        channel.on_close = reason => tell(`on_close ${reason}`)
        const close = (): void => channel.close()
        open()
        await until(async () => {
          await world.pump()
          return told.filter(each => each.startsWith('on_close')).length === 2
        })
        const begin = told.filter(each => each === 'active').length === 2 ? ['active'] : []
        const end = ['closing', 'closed', ...(isMessages ? [] : ['destroy']), 'on_close local']
        t.strictSame(told, ['opening', 'active', ...end, 'opening', ...begin, ...end])
        t.ok(isClosed || begin.length === 1)
        done?.()
      })
    }
  }
}

for (const url of MESSAGES) {
  stage(t, `${url}: a callback closes it and opens it again`, async (t, { context, pump }) => {
    const channel = context.init(url)
    const told: string[] = []
    channel.on_state = state => void told.push(state)
    channel.on_close = reason => void told.push(`on_close ${reason}`)
    const left = ['active', 'closed']
    channel.callback_add(() => {
      if (channel.state !== left[0]) return
      if (left.shift() === 'active') channel.close(true)
      else channel.open()
    }, 'state')
    channel.open()
    await until(async () => {
      await pump()
      return channel.state === 'active' && left.length === 0
    })
    const life = ['opening', 'active', 'closing', 'closed', 'on_close local']
    t.strictSame(told, [...life, 'opening', 'active'])
    channel.close(true)
  })
}
