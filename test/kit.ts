/** What several tests need: a world in memory, and channels that write down every hook. */

import type { Test } from 'tap'
import type { Channel } from '../src/channels/channel.ts'
import { Engine } from '../src/engine.ts'
import { codeOf } from '../src/errors.ts'
import { ManualClock } from '../src/io/manual-clock.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from '../src/io/memory/network.ts'
import type { Transport } from '../src/transport.ts'

/** An engine on a network in memory and a clock that stands, whose log is kept. */
export interface World {
  readonly network: MemoryNetwork
  readonly clock: ManualClock
  readonly engine: Engine
  /** What the engine has logged. */
  readonly logged: string[]
  /** Lets everything happen that can without time passing. */
  pump(): Promise<void>
  /** The same after so many ms. */
  advance(ms: number): Promise<void>
}

/**
 * A subtest in a world of its own; at its end everything has to be closed, or to close, and nothing
 * to be left behind.
 */
export async function scene(
  t: Test,
  title: string,
  body: (t: Test, world: World) => Promise<void>,
  options: MemoryNetworkOptions = {},
): Promise<void> {
  await t.test(title, async t => {
    const world = makeWorld(options)
    const { engine, clock, network, pump, advance } = world
    await body(t, world)
    const stopped = engine.stop({ timeout: 1 })
    await pump()
    await advance(1)
    await stopped
    await pump()
    t.same(
      [engine.channels.size, network.transports.length, clock.pending],
      [0, 0, 0],
      'no channel, no transport, no timer is left',
    )
  })
}

function makeWorld(options: MemoryNetworkOptions): World {
  const network = new MemoryNetwork(options)
  const clock = new ManualClock()
  const logged: string[] = []
  const engine = new Engine({ network, clock, log: message => logged.push(message) })
  const pump = async (): Promise<void> => {
    for (let isQuiet = false; !isQuiet;) {
      await turn()
      clock.advance(0)
      isQuiet = network.pump() === 0
    }
    await turn()
  }
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await pump()
  }
  return { network, clock, engine, logged, pump, advance }
}

/** One turn of the loop, promises included. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** How many turns something takes at most that only this process has to do. */
const OWN_TURNS = 100

/**
 * Waits until that is so: turn by turn at first, and then a millisecond at a time, which leaves the
 * processor to whom it waits for. The timeout of the test bounds it.
 */
export async function until(isSo: () => unknown): Promise<void> {
  for (let turns = 0; !(await isSo()); turns++)
    await (turns < OWN_TURNS ? turn() : new Promise(resolve => setTimeout(resolve, 1)))
}

// prettier-ignore
const HOOKS = [
  'on_state', 'on_connect', 'on_read', 'on_write', 'on_read_end', 'on_connect_error',
  'on_read_error', 'on_write_error', 'on_overflow_error', 'on_timeout', 'on_tls_handshake',
  'on_tls_handshake_error', 'on_tls_error', 'on_error', 'on_close', 'on_listen', 'on_listen_error',
  'on_drop',
]

/**
 * Writes every hook of the channel to the log, as 'who hook details', and then calls it. To be
 * called once its fields are there.
 */
export function spy<Spied extends Channel>(channel: Spied, who: string, log: string[]): Spied {
  const hooks = channel as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>
  for (const hook of HOOKS) {
    const original = hooks[hook]
    if (original === undefined) continue
    hooks[hook] = (...args) => {
      log.push([who, hook.slice(3), ...args.map(text)].join(' '))
      return original.apply(channel, args)
    }
  }
  return channel
}

function text(value: unknown): string {
  return value instanceof Error ? codeOf(value) || value.message : String(value)
}

/** How a promise stands. */
export async function fate(promise: Promise<unknown>): Promise<unknown> {
  const open = Symbol('open')
  const settled = await Promise.race([
    promise.catch((error: unknown) => `rejected ${text(error)}`),
    turn().then(() => open),
  ])
  return settled === open ? 'open' : settled
}

/** What a call throws, by its code. */
export function thrown(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return text(error)
  }
  return 'nothing'
}

/** A transport that only writes down what is called; the test reports through its sink. */
export function fakeTransport(calls: string[]): Transport {
  const note =
    (name: string) =>
    (...values: unknown[]): void =>
      void calls.push([name, ...values].join(' '))
  return {
    sink: undefined,
    local_address: ['here', 1],
    remote_address: ['there', 2],
    fileno: 3,
    bytes_read: 4,
    bytes_written: 5,
    bytes_queued: 6,
    proxy_extensions: new Map(),
    write: (data, encoding) => calls.push(`write ${data} ${encoding}`) > 0,
    cork: note('cork'),
    uncork: note('uncork'),
    pause: note('pause'),
    resume: note('resume'),
    end: note('end'),
    destroy: note('destroy'),
    set_no_delay: note('set_no_delay'),
    set_keep_alive: note('set_keep_alive'),
  }
}

/** Catches what is thrown in turns of the loop. It would end the process. */
export function catching(t: Test): unknown[] {
  const [errors, original]: [unknown[], typeof setImmediate] = [[], globalThis.setImmediate]
  const caught = (callback: () => void): unknown =>
    original(() => {
      try {
        callback()
      } catch (error) {
        errors.push(error)
      }
    })
  globalThis.setImmediate = caught as typeof setImmediate
  t.teardown(() => {
    globalThis.setImmediate = original
  })
  return errors
}
