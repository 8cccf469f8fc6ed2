import t from 'tap'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import {
  Subscriber,
  type SubscriberOwner,
  type SubscriptionKind,
} from '../../../src/protocols/redis/subscriber.ts'
import type { RedisOptions } from '../../../src/protocols/redis/target.ts'
import { scene, type World } from '../../kit.ts'
import { type Answer, type FakeRedis, list, outcome, serve, target } from './kit.ts'

const TEXT = { encoding: 'utf8' } as const

const CLOSED = new RedisError('ERR_CLOSED', 'the client was closed')

class Owner implements SubscriberOwner {
  readonly told: string[] = []
  failed(error: unknown): void {
    this.told.push(`failed ${(error as Error).message}`)
  }
  subscriberLost({ code }: RedisError, isOver: boolean): void {
    this.told.push(`lost ${code}${isOver ? ' for good' : ''}`)
  }
}

/** Confirms, as Redis does. */
const confirm: Answer = ([name, key]) =>
  /SUBSCRIBE$/.test(name!) ? list([name!.toLowerCase(), key!, 1], '>') : undefined

interface Made {
  readonly subscriber: Subscriber
  readonly owner: Owner
  readonly server: FakeRedis
  readonly got: unknown[][]
  add(kind: SubscriptionKind, name: string, encoding?: 'utf8' | null): { value: unknown }
  say(...parts: string[]): Promise<void>
}

async function make(
  world: World,
  answer: Answer = confirm,
  options: RedisOptions = {},
): Promise<Made> {
  const server = await serve(world, answer)
  const owner = new Owner()
  const subscriber = new Subscriber(target(world, options), owner)
  const got: unknown[][] = []
  const add = (kind: SubscriptionKind, name: string, encoding: 'utf8' | null = 'utf8') =>
    outcome(subscriber.add(kind, name, (...args) => void got.push(args), { encoding }))
  const say = async (...parts: string[]): Promise<void> => {
    server.peers.at(-1)!.write(list(parts, '>'))
    await world.pump()
  }
  return { subscriber, owner, server, got, add, say }
}

async function closed(world: World, { subscriber }: Made): Promise<void> {
  const closing = subscriber.close(CLOSED)
  await world.pump()
  await closing
}

scene(t, 'channels, patterns and shard channels', async (t, world) => {
  const made = await make(world)
  const { add, say, got, server } = made
  const all = [add('', 'a'), add('p', 'a*'), add('s', 'a')]
  await world.pump()
  t.same(
    all.map(({ value }) => value),
    [undefined, undefined, undefined],
  )
  t.same(server.peers[0]!.news, ['SUBSCRIBE a', 'PSUBSCRIBE a*', 'SSUBSCRIBE a'])
  await say('message', 'a', 'one')
  await say('pmessage', 'a*', 'a', 'two')
  await say('smessage', 'a', 'three')
  t.same(got, [
    ['one', 'a', undefined],
    ['two', 'a', 'a*'],
    ['three', 'a', undefined],
  ])
  // What is not for anybody.
  await say('message', 'b', 'x')
  await say('invalidate', 'x')
  t.equal(got.length, 3)
  await closed(world, made)
})

/** Redis confirms the same name twice, with the same count. */
scene(t, 'a name is subscribed once, however many handlers it has', async (t, world) => {
  const made = await make(world)
  const { subscriber, server, add, say, got } = made
  const handler = (): void => void got.push(['handler'])
  add('', 'a')
  void subscriber.add('', 'a', handler, TEXT)
  void subscriber.add('', 'a', handler, TEXT)
  await world.pump()
  t.same(server.peers[0]!.news, ['SUBSCRIBE a'])
  await say('message', 'a', 'x')
  t.same(got, [['x', 'a', undefined], ['handler']])
  await subscriber.remove('', 'a', handler)
  await subscriber.remove('', 'b', undefined)
  await say('message', 'a', 'y')
  t.same(got.length, 3)
  const removed = outcome(subscriber.remove('', 'a', undefined))
  await world.pump()
  t.equal(removed.value, undefined)
  t.same(server.peers[0]!.news, ['SUBSCRIBE a', 'UNSUBSCRIBE a'])
  await say('message', 'a', 'z')
  t.same(got.length, 3)
  await closed(world, made)
})

scene(t, 'the last handler ends it, and it can be subscribed anew', async (t, world) => {
  const made = await make(world)
  const { subscriber, add, say, got, server } = made
  const handler = (): void => {}
  void subscriber.add('', 'a', handler, TEXT)
  await world.pump()
  const removed = outcome(subscriber.remove('', 'a', handler))
  const again = add('', 'a')
  await world.pump()
  t.same([removed.value, again.value], [undefined, undefined])
  t.same(server.peers[0]!.news, ['SUBSCRIBE a', 'UNSUBSCRIBE a', 'SUBSCRIBE a'])
  await say('message', 'a', 'x')
  t.equal(got.length, 1)
  await closed(world, made)
})

scene(t, 'bytes, beside text', async (t, world) => {
  const made = await make(world)
  const { add, say, got } = made
  add('', 'a')
  await world.pump()
  await say('message', 'a', 'é')
  add('', 'a', null)
  await world.pump()
  await say('message', 'a', 'é')
  t.same(
    got.map(([message]) => message),
    ['é', 'é', Buffer.from('é')],
  )
  await closed(world, made)
})

scene(t, 'bytes that were text when they came', async (t, world) => {
  const made = await make(world)
  const { subscriber, server, add, got } = made
  let go = (): void => {}
  const held = new Promise<void>(resolve => (go = resolve))
  // While a confirmation is to come, messages wait behind the handler.
  void subscriber.add('', 'a', () => (void add('', 'b'), held), TEXT)
  await world.pump()
  const [first, second] = [list(['message', 'a', 'x'], '>'), list(['message', 'a', 'y'], '>')]
  server.peers.at(-1)!.write(first + second)
  await world.pump()
  add('', 'a', null)
  go()
  await world.pump()
  t.same(
    got.map(([message]) => message),
    [Buffer.from('y')],
  )
  await closed(world, made)
})

scene(t, 'handlers that fail, and handlers that take their time', async (t, world) => {
  const made = await make(world)
  const { subscriber, owner, add, say, got } = made
  let go = (): void => {}
  const slow = (): Promise<void> => new Promise(resolve => (go = resolve))
  void subscriber.add('', 'a', () => { throw new Error('thrown') }, TEXT) // prettier-ignore
  void subscriber.add('', 'a', () => Promise.reject(new Error('rejected')), TEXT)
  void subscriber.add('', 'a', slow, TEXT)
  add('', 'a')
  await world.pump()
  await say('message', 'a', '1')
  await say('message', 'a', '2')
  t.same(owner.told, ['failed thrown', 'failed rejected'])
  t.same(got.length, 1, 'the second message waits')
  go()
  await world.pump()
  t.same(got.length, 2)
  go()
  await closed(world, made)
})

scene(t, 'after a loss everything is subscribed again', async (t, world) => {
  const made = await make(world)
  const { subscriber, add, server, owner, say, got } = made
  add('', 'a')
  await world.pump()
  server.peers[0]!.close()
  await world.pump()
  const meanwhile = add('p', 'b*')
  t.equal(meanwhile.value, 'waits')
  add('', 'c')
  await subscriber.remove('', 'c', undefined)
  await world.advance(100)
  t.equal(meanwhile.value, undefined)
  t.same(server.peers[1]!.news, ['SUBSCRIBE a', 'PSUBSCRIBE b*'])
  await say('message', 'a', 'x')
  t.equal(got.length, 1)
  t.same(owner.told, ['lost ERR_CLOSED'])
  await closed(world, made)
})

/** The confirmation and messages come in one piece: `on_gap` must not come after them. */
scene(t, 'a gap is told before the first message after it', async (t, world) => {
  const made = await make(world)
  const { subscriber, server, owner } = made
  const told: string[] = []
  const handler = (message: string): void => void told.push(message)
  const on_gap = (): void => void told.push('gap')
  void subscriber.add('', 'a', handler, { ...TEXT, on_gap })
  void subscriber.add('', 'quiet', () => {}, { ...TEXT, on_gap: () => void told.push('quiet') })
  void subscriber.add('', 'bad', () => {}, {
    ...TEXT,
    on_gap: () => {
      throw new Error('thrown')
    },
  })
  void subscriber.add('', 'no', () => {}, TEXT)
  await world.pump()
  server.answer = (words, peer) =>
    words[1] === 'no'
      ? '-NOPERM no\r\n'
      : words[1] === 'a'
        ? `${String(confirm(words, peer))}${list(['message', 'a', 'x'], '>')}`
        : confirm(words, peer)
  server.peers[0]!.close()
  await world.pump()
  t.same(told, [])
  const meanwhile = [made.add('', 'a'), made.add('', 'no')]
  await world.pump()
  t.same(
    meanwhile.map(({ value }) => value),
    ['waits', 'waits'],
    'it does not stand',
  )
  await world.advance(100)
  t.same(
    meanwhile.map(({ value }) => value),
    [undefined, 'NOPERM'],
  )
  t.same(told, ['gap', 'x', 'quiet'])
  t.same(owner.told, ['lost ERR_CLOSED', 'failed thrown', 'failed NOPERM no'])
  await closed(world, made)
})

scene(t, 'lost before it was confirmed', async (t, world) => {
  const made = await make(world, () => undefined)
  const { subscriber, add, server } = made
  const one = add('', 'a')
  await world.pump()
  const removed = outcome(subscriber.remove('', 'b', undefined))
  server.peers[0]!.close()
  await world.pump()
  t.same([one.value, removed.value], ['waits', undefined])
  server.answer = confirm
  await world.advance(100)
  t.equal(one.value, undefined)
  await closed(world, made)
})

scene(t, 'a name that the server refuses; others are not touched', async (t, world) => {
  const made = await make(world, (words, peer) =>
    words[1] === 'no' ? '-NOPERM no\r\n' : confirm(words, peer),
  )
  const { add, owner } = made
  const both = [add('', 'no'), add('', 'yes')]
  await world.pump()
  t.same(
    both.map(({ value }) => value),
    ['NOPERM', undefined],
  )
  t.same(owner.told, [], 'it is told once')
  await closed(world, made)
})

scene(t, 'what waits when it closes, or cannot log in', async (t, world) => {
  const made = await make(world, () => undefined)
  const one = made.add('', 'a')
  await world.pump()
  await closed(world, made)
  t.equal(one.value, 'ERR_CLOSED')
  made.server.close()
  await world.pump()
  const refused = await make(world, ([name]) => (name === 'HELLO' ? '-WRONGPASS x\r\n' : undefined))
  const other = refused.add('', 'a')
  await world.pump()
  t.equal(other.value, 'WRONGPASS')
  t.same(refused.owner.told, ['lost WRONGPASS for good'])
})

/** It stood for a moment, and messages had come: after the loss no gap was told. */
scene(t, 'confirmed, and lost at once', async (t, world) => {
  const made = await make(world, ([name]) => (name === 'SUBSCRIBE' ? '' : undefined))
  const { subscriber, server } = made
  const told: string[] = []
  const standing = outcome(
    subscriber.add('', 'a', text => void told.push(text), {
      ...TEXT,
      on_gap: () => told.push('gap'),
    }),
  )
  await world.pump()
  const confirmation = list(['subscribe', 'a', 1], '>')
  server.peers[0]!.write(`${confirmation}${list(['message', 'a', 'one'], '>')}no reply`)
  await world.pump()
  t.equal(standing.value, 'waits')
  await world.advance(100)
  server.peers[1]!.write(confirmation)
  await world.pump()
  t.same(told, ['one', 'gap'])
  t.equal(standing.value, undefined)
  await closed(world, made)
})

scene(t, 'a handler that unsubscribes, with others behind it', async (t, world) => {
  const made = await make(world)
  const { subscriber, say, add, got } = made
  void subscriber.add('', 'a', () => void subscriber.remove('', 'a', undefined), TEXT)
  add('', 'a')
  await world.pump()
  await say('message', 'a', 'x')
  t.same(got, [])
  await closed(world, made)
})

/** Each one that was added got the same message, and added the next one, without end. */
scene(t, 'a handler that subscribes another one to its channel', async (t, world) => {
  const made = await make(world)
  const { subscriber, server, say } = made
  const got: string[] = []
  const again = (): void => {
    if (got.length > 9) return
    const handler = (text: string): void => void [got.push(text), again()]
    void subscriber.add('', 'a', handler, {
      ...TEXT,
      on_gap: () => void [got.push('gap'), again()],
    })
  }
  again()
  await world.pump()
  await say('message', 'a', 'x')
  t.same(got, ['x'])
  await say('message', 'a', 'y')
  t.same(got, ['x', 'y', 'y'])
  server.peers.at(-1)!.close()
  await world.pump()
  await world.advance(2000)
  t.same(got.slice(3), ['gap', 'gap', 'gap', 'gap'])
  await closed(world, made)
})

/** Whoever was added in place of one that was removed got the same message. */
scene(t, 'a handler that puts another one in the place of the next', async (t, world) => {
  const made = await make(world)
  const { subscriber, say } = made
  const got: string[] = []
  const handlers = ['one', 'two', 'three', 'four'].map(
    name => (text: string) => void got.push(`${name} ${text}`),
  )
  const first = (text: string): void => {
    handlers[0]!(text)
    void subscriber.remove('', 'a', handlers[1])
    void subscriber.add('', 'a', handlers[3]!, TEXT)
  }
  for (const each of [first, handlers[1]!, handlers[2]!]) void subscriber.add('', 'a', each, TEXT)
  await world.pump()
  await say('message', 'a', 'x')
  t.same(got, ['one x', 'three x'])
  await say('message', 'a', 'y')
  t.same(got.slice(2), ['one y', 'three y', 'four y'])
  await closed(world, made)
})

/** It waited for ever: its own promise held the confirmation. */
scene(t, 'a handler awaits that it has subscribed to something', async (t, world) => {
  const made = await make(world)
  const { subscriber, server, say } = made
  const told: unknown[] = []
  let release = (): void => {}
  const handler = async (text: string): Promise<void> => {
    told.push(text)
    if (text === 'one') await subscriber.add('', 'b', () => {}, TEXT)
    if (text === 'two') await new Promise<void>(resolve => (release = resolve))
    told.push('done')
  }
  void subscriber.add('', 'a', handler, TEXT)
  await world.pump()
  const messages = ['one', 'two', 'three'].map(text => list(['message', 'a', text], '>'))
  server.peers[0]!.write(messages.join(''))
  await world.pump()
  t.same(told, ['one', 'done', 'two'], 'those that follow have waited')
  await say('message', 'a', 'four')
  // A subscription meanwhile does not wait for the handler.
  const other = made.add('', 'c')
  await world.pump()
  t.equal(other.value, undefined)
  release()
  await world.pump()
  t.same(told.slice(3), ['done', 'three', 'done', 'four', 'done'])
  await say('message', 'a', 'two')
  void made.add('', 'd')
  await say('message', 'a', 'lost')
  server.peers[0]!.close()
  await world.pump()
  release()
  await world.advance(100)
  t.same(told.slice(8), ['two', 'done'], 'what waits is lost with its connection')
  await closed(world, made)
})
