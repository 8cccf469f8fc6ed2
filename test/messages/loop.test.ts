import t from 'tap'
import { request } from '../../src/messages/loop.ts'
import { scene } from '../kit.ts'

type Pending = Parameters<typeof request>[1]

/** Work that is pending until it was processed this many times. */
class Work implements Pending {
  isPending = true
  isInLoop = false
  done = 0
  readonly #times: number
  readonly #log: string[]
  readonly #name: string
  constructor(name: string, times: number, log: string[]) {
    this.#name = name
    this.#times = times
    this.#log = log
  }
  process(): boolean {
    this.#log.push(this.#name)
    if (++this.done === this.#times) this.isPending = false
    return true
  }
}

scene(
  t,
  'each channel once a round; nothing runs if none is pending',
  async (t, { engine, clock }) => {
    const log: string[] = []
    const works = [new Work('a', 3, log), new Work('b', 1, log), new Work('c', 2, log)]
    for (const each of works) request(engine, each)
    t.strictSame(log, [], 'not inside the call')
    clock.advance(0)
    t.strictSame(log.join(''), 'abcaca')
    t.equal(clock.pending, 0)
  },
)

scene(t, 'a turn is bounded: others run in between', async (t, { engine, clock }) => {
  const log: string[] = []
  request(engine, new Work('a', 1000, log))
  const turns: number[] = []
  const cancel = engine.loop(() => {
    turns.push(log.length)
    if (log.length === 1000) cancel()
  })
  clock.advance(0)
  t.strictSame(turns.slice(0, 3), [64, 128, 192])
  t.equal(turns.length, 16)
})

// When rounds were counted, a turn with a thousand channels had 64 000 messages.
scene(t, 'a turn is bounded for any number of channels', async (t, { engine, clock }) => {
  const log: string[] = []
  for (let count = 0; count < 1000; count++) request(engine, new Work('a', 3, log))
  const turns: number[] = []
  const cancel = engine.loop(() => {
    turns.push(log.length)
    if (log.length === 3000) cancel()
  })
  clock.advance(0)
  t.strictSame(turns, [1000, 2000, 3000], 'each once')
})

scene(
  t,
  'a channel that had nothing to do is processed again only if it requests that',
  async (t, { engine, clock }) => {
    let asked = 0
    const idle: Pending = { isPending: true, isInLoop: false, process: () => asked++ < 0 }
    request(engine, idle)
    request(engine, idle)
    clock.advance(0)
    t.equal(asked, 1)
    request(engine, idle)
    clock.advance(0)
    t.equal(asked, 2)
  },
)
