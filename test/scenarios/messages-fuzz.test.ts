/**
 * Random calls at any moment, inside any hook. Every error must have a code, and a channel that is
 * closed by force must be closed.
 */

import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { codeOf } from '../../src/errors.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { Context } from '../../src/messages/context.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { seeded } from './networks.ts'

const URLS: readonly string[] = [
  'direct://',
  'direct://;notify-state=yes',
  'mem://',
  'mem://;size=200b',
  'mem://;mode=server',
  'echo://',
  'timer://;interval=1ms',
  'zero://',
  'tcp://127.0.0.1:0;mode=server',
  'udp://127.0.0.1:0;mode=server',
  'deflate+mem://',
  'deflate+tcp://127.0.0.1:0;mode=server',
  'filter+direct://;messages=!1',
  'rate+mem://;speed=1kb;rate.dir=rw;max-window=20b',
  'rate+tcp://127.0.0.1:0;mode=server;speed=1kb',
  'rate+zero://;speed=1mb;rate.dir=r',
  'reopen+tcp://127.0.0.1:0;mode=server;timeout-min=1ms',
  'reopen+mem://;timeout-min=1ms',
  'reopen+echo://;timeout-min=1ms',
  'reopen+rate+deflate+mem://;speed=100kb;mode=server;timeout-min=1ms',
]

/** The calls, each with the same probability. */
const CALLS: Readonly<Record<string, (channel: MessageChannel, random: () => number) => unknown>> =
  {
    open: channel => channel.open(),
    close: channel => channel.close(),
    'close by force': channel => channel.close(true),
    destroy: (channel, random) => random() < 0.2 && channel.destroy(),
    post: (channel, random) =>
      channel.post({
        data: 'x'.repeat(1 + Math.floor(random() * 50)),
        addr: random() < 0.5 ? undefined : 1,
      }),
    'post again': channel => channel.post('y'),
    suspend: channel => channel.suspend(),
    resume: channel => channel.resume(),
    process: channel => channel.process(),
    fail: channel => channel.fail(Object.assign(new Error('on purpose'), { code: 'TEST' })),
    recv: (channel, random) =>
      void channel.recv({ type: random() < 0.5 ? 'data' : 'state', timeout: 5 }).catch(() => {}),
    async iterate(channel, random) {
      const messages = channel[Symbol.asyncIterator]()
      const next = messages.next().catch(() => {})
      if (random() < 0.7) await messages.return?.()
      await next
    },
  }

/**
 * Makes a channel and up to three peers of it, and makes random calls in their hooks and from
 * outside. Returns everything that was wrong.
 */
async function round(url: string, random: () => number): Promise<string[]> {
  const wrong: string[] = []
  const complain = (what: string, error: unknown): void => {
    if (codeOf(error) === '') wrong.push(`${url}, ${what}: ${(error as Error)?.stack ?? error}`)
  }
  const engine = new Engine({
    network: new MemoryNetwork({ auto: true }),
    log: (message, error) => complain(message, error),
  })
  const context = new Context({ engine })
  const channels: MessageChannel[] = []
  let calls = 200
  const pick = <Each>(all: readonly Each[]): Each => all[Math.floor(random() * all.length)] as Each
  const call = (): void => {
    if (calls-- < 0) return
    const what = pick(Object.keys(CALLS))
    try {
      void CALLS[what]!(pick(channels), random)
      const far = channels[0]?.client_url
      if (far !== undefined && channels.length < 4 && random() < 0.1) add(far)
    } catch (error) {
      complain(what, error)
    }
  }
  const sometimes = (chance: number) => (): void => {
    if (random() < chance) call()
  }
  const add = (url: string): void => {
    const channel = context.init(url)
    channels.push(channel)
    channel.on_message = () => {
      sometimes(0.4)()
      return random() < 0.1 ? new Promise(setImmediate) : undefined
    }
    channel.on_control = channel.on_error = sometimes(0.4)
    channel.on_state = channel.on_close = sometimes(0.3)
    channel.open()
  }
  add(url)
  for (let step = 0; step < 40; step++) {
    call()
    if (random() < 0.5) await new Promise(setImmediate)
  }
  calls = -1
  for (const channel of channels) {
    channel.close(true)
    if (channel.state !== 'closed') wrong.push(`${url}: ${channel.state} after close(true)`)
    channel.destroy()
  }
  await engine.stop({ timeout: 100 })
  if (engine.channels.size + context.channels.size > 0) wrong.push(`${url}: something is left`)
  return wrong
}

for (const [index, url] of URLS.entries()) {
  t.test(url, async t => {
    const random = seeded(index + 1)
    for (let count = 0; count < 15; count++) t.same(await round(url, random), [])
  })
}
