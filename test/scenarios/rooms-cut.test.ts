/**
 * A member whose connection is cut somewhere in a session, in either direction. Wherever it is
 * cut, it hears each message of the room once and in order, and nothing of its own comes twice.
 */

import type { Buffer } from 'node:buffer'
import t, { type Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import { Context } from '../../src/messages/context.ts'
import { Channel } from '../../src/rooms/client/node-channel.ts'
import { RoomServer } from '../../src/rooms/server/room-server.ts'
import { rounds } from '../core/oracle.ts'
import { scene, type World } from '../kit.ts'

/** Where the server is, and where a member believes that it is. */
const [SERVER, CUTTER] = [1, 2]

/** Passes bytes on until `left` of them have passed in one direction; then it cuts both ends. */
class Cutter extends Server {
  readonly direction: 'up' | 'down'
  left: number
  passed = 0

  constructor(world: World, direction: 'up' | 'down', left: number) {
    super(Cut, { engine: world.engine })
    this.direction = direction
    this.left = left
  }

  /** What of it may pass; it is cut behind that. */
  pass(direction: 'up' | 'down', data: Buffer): Buffer {
    if (direction !== this.direction) return data
    const some = data.subarray(0, this.left)
    this.left -= some.length
    this.passed += some.length
    return some
  }
}

class Cut extends Connection<null, Cutter> {
  readonly #up = new Client({ engine: this.engine })

  override on_connect(): void {
    this.#up.on_read = data => this.#passTo(this, 'down', data as Buffer)
    this.#up.on_close = () => this.close(true)
    this.#up.connect(SERVER)
  }

  override on_read(data: Buffer): void {
    this.#passTo(this.#up, 'up', data)
  }

  #passTo(to: Stream<any>, direction: 'up' | 'down', data: Buffer): void {
    const some = this.server.pass(direction, data)
    to.write(some)
    if (some.length === data.length) return
    // The next connection is not cut.
    this.server.left = Infinity
    // What has passed arrives.
    this.#up.close(true)
    this.close(true)
  }

  override on_close(): void {
    this.#up.close()
  }
}

/**
 * By the kind of transport: after each so many bytes it is cut. (Frames of ws are longer.) With
 * more rounds, after each byte.
 */
const STEPS = rounds(1) > 1 ? { tcp: 1, ws: 1 } : { tcp: 3, ws: 11 }

/** One session; resolves to how many bytes have passed in that direction. */
async function session(
  t: Test,
  world: World,
  direction: 'up' | 'down',
  left: number,
  kind: string,
) {
  const { engine, pump, advance } = world
  const context = new Context({ engine })
  const url = (port: number): string =>
    kind === 'ws' ? `ws://127.0.0.1:${port}/` : `tcp://127.0.0.1:${port};frame=line`
  const server = new RoomServer({ engine, context, history: true }).listen(url(SERVER))
  await pump()
  const cutter = new Cutter(world, direction, left).listen(CUTTER)
  const ann = new Channel(url(CUTTER), {
    engine,
    context,
    auto_reconnect: true,
    reconnect_delay: 1,
    max_reconnect_delay: 1,
  })
  const [heard, gaps, said]: [number[], unknown[], number[]] = [[], [], []]
  ann.on_error(() => {})
  ann.on_room_message('r', message => {
    const { n } = message as { n?: number }
    if (n !== undefined) heard.push(n)
  })
  ann.on_gap((...gap) => void gaps.push(gap))
  server.on_room_message = (_member, _room, { mine }) => void said.push(mine as number)
  server.emit('r', { n: 1 })
  await pump()
  const opened = ann.connect().catch(() => ann.connect())
  void ann.join('r', { seq: 0 }).catch(() => {})
  for (let n = 2; n < 5; n++) {
    await pump()
    server.emit('r', { n })
    ann.send_to('r', { mine: n }).catch(() => {})
  }
  for (let i = 0; i < 3; i++) await advance(5)
  await opened
  const once = [...new Set(said)].sort()
  // What was handed to a connection that is lost may be lost, but comes at most once.
  t.strictSame([heard, gaps, said], [[1, 2, 3, 4], [], once], `cut after ${left}`)
  const closed = ann.close()
  await pump()
  await closed
  server.close()
  cutter.close()
  await pump()
  return cutter.passed
}

for (const [kind, step] of Object.entries(STEPS))
  for (const direction of ['up', 'down'] as const)
    await scene(t, `${kind}, ${direction}`, async (t, world) => {
      const whole = await session(t, world, direction, Infinity, kind)
      t.ok(whole > 100)
      for (let left = 0; left < whole; left += step) await session(t, world, direction, left, kind)
    })
