/** A world for a session: carriers that do what the test says, and a clock that stands. */

import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { Carrier, CarrierSink, World } from '../../../src/rooms/client/carrier.ts'
import {
  channelValues,
  type RoomChannelOptions,
} from '../../../src/rooms/client/channel-options.ts'
import { RoomSession } from '../../../src/rooms/client/room-session.ts'
import { turn } from '../../kit.ts'

/** One connection. Its sink is called by the test. */
export class FakeCarrier implements Carrier {
  readonly sink: CarrierSink
  readonly log: string[]
  isOpen = true
  /** What `send` returns, or throws. */
  room: boolean | Error = true

  constructor(sink: CarrierSink, log: string[]) {
    this.sink = sink
    this.log = log
  }

  open(): void {
    this.log.push('open')
  }

  send(data: string | Uint8Array): boolean {
    if (this.room instanceof Error) throw this.room
    this.log.push(typeof data === 'string' ? data : `bytes ${[...data].join(' ')}`)
    return this.room
  }

  close(code: number, reason: string): void {
    this.log.push(`close ${code} ${reason}`)
  }

  abort(): void {
    this.log.push('abort')
  }
}

export class FakeWorld implements Omit<World, 'log'> {
  readonly clock = new ManualClock()
  readonly log: string[] = []
  readonly logged: string[] = []
  readonly carriers: FakeCarrier[] = []
  /** What `carrier` throws. */
  fault: Error | undefined

  /** The newest. */
  get last(): FakeCarrier {
    return this.carriers.at(-1) as FakeCarrier
  }

  carrier(sink: CarrierSink): Carrier {
    if (this.fault !== undefined) throw this.fault
    this.carriers.push(new FakeCarrier(sink, this.log))
    return this.last
  }

  now(): number {
    return this.clock.now()
  }

  after(delay: number, callback: () => void): () => void {
    return this.clock.after(delay, callback)
  }

  logError(message: string): void {
    this.logged.push(message)
  }

  /** What was sent since the last call, and what was done to carriers. */
  take(): string[] {
    return this.log.splice(0)
  }
}

export interface Made {
  readonly world: FakeWorld
  readonly session: RoomSession
  /** What handlers were called with. */
  readonly told: string[]
}

/** A session whose handlers write down what they are told. Attempts take as long as they like. */
export function makeSession(options: RoomChannelOptions = {}, isSilent = false): Made {
  const world = new FakeWorld()
  const session = new RoomSession(
    'ws://a',
    channelValues({ connect_timeout: Infinity, ...options }, []),
    {
      carrier: sink => world.carrier(sink),
      now: () => world.now(),
      after: (delay, callback) => world.after(delay, callback),
      log: message => world.logError(message),
    },
  )
  const told: string[] = []
  const { handlers } = session
  handlers.add('open', () => told.push('open'))
  handlers.add('close', ({ code, reason, was_open }) =>
    told.push(`close ${code} ${reason}${was_open ? '' : ' (never open)'}`),
  )
  handlers.add('message', message => told.push(`message ${JSON.stringify(message)}`))
  handlers.add('gap', (room, from, to) => told.push(`gap ${room} ${from} ${to}`))
  handlers.add('presence', (room, came, went) => told.push(`presence ${room} +${came} -${went}`))
  handlers.add('reconnecting', ({ attempt }) => told.push(`reconnecting ${attempt}`))
  if (!isSilent) handlers.add('error', error => told.push(`${error.code} ${error.message}`))
  return { world, session, told }
}

/** A session that is open. */
export async function openSession(options: RoomChannelOptions = {}): Promise<Made> {
  const made = makeSession(options)
  const connected = made.session.connect()
  made.world.last.sink.opened()
  await connected
  made.world.take()
  made.told.length = 0
  return made
}

export { turn }
