/**
 * What the random programs of a client have in common, whose server is one in memory: the hooks and
 * promises that are watched, the time, and what must be so at the end.
 *
 * A round: play → (call or event, step) … → calm → end.
 */

import { inspect } from 'node:util'
import type { Server } from '../../src/channels/basic.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { turn } from '../kit.ts'
import { pick, type Random } from './target.ts'

/** How many steps it may take until all is calm, and to close. */
const MOST_STEPS = 4000

export abstract class ClientWorld {
  readonly random: Random
  readonly clock = new ManualClock()
  readonly network: MemoryNetwork
  readonly engine: Engine
  abstract readonly server: Server<any>
  abstract readonly client: { readonly state: string }
  readonly wrong: string[] = []
  /** Does the server take no connection? */
  isAway = false
  /** Does nothing random happen any more? */
  isCalm = false
  /** May hooks be called? */
  isOpen = false
  /** The number of the last thing that was sent. */
  count = 0
  /** How many calls may still be made inside hooks. */
  left = 100
  /** What has not settled. */
  readonly pending = new Set<object>()
  #isInConnect = false

  constructor(random: Random) {
    this.random = random
    this.network = new MemoryNetwork({ chunk: () => 1 + random(2 ** random(14)) })
    const { network, clock } = this
    this.engine = new Engine({ network, clock, log: text => this.logged(text) })
  }

  /** A random call of the program. */
  abstract call(): void
  /** Something happens to the server, or to a connection. */
  abstract event(): void
  abstract connect(): void
  abstract close(isPolite: boolean): void
  /** Waits until all is as it should be, and nothing random happens any more. */
  abstract calm(): Promise<void>
  /** Complains about an error that is not documented. */
  abstract failed(error: Error): void

  logged(text: string): void {
    this.complain(`logged: ${text}`)
  }

  complain(fault: string): void {
    if (this.wrong.length < 10) this.wrong.push(fault)
  }

  // ---- hooks and promises -----------------------------------------------------------------------

  /** Connects; no hook may be called meanwhile. */
  connecting(connect: () => void): void {
    this.isOpen = this.#isInConnect = true
    connect()
    this.#isInConnect = false
  }

  /** What the program does in a hook. */
  hook(name: string, mayThrow = true): unknown {
    if (this.#isInConnect) this.complain(`${name} inside connect()`)
    if (!this.isOpen) this.complain(`${name} of a client that is closed`)
    if (this.isCalm) return undefined
    const { random } = this
    if (random(4) === 0 && this.left-- > 0) this.call()
    if (!mayThrow || random(10) > 0) return undefined
    if (random(2) === 0) throw new Error('on purpose')
    return random(2) === 0 ? turn() : Promise.reject(new Error('on purpose'))
  }

  /** The promise must settle. */
  watch(
    what: string,
    promise: Promise<unknown>,
    settled: (value: unknown, code?: string) => void = () => {},
  ): void {
    const waits = { what, since: this.count }
    this.pending.add(waits)
    void promise
      .then(
        value => settled(value),
        (error: Error & { code: string }) => {
          this.failed(error)
          settled(undefined, error.code)
        },
      )
      .finally(() => {
        this.pending.delete(waits)
        if (!this.isCalm && this.random(6) === 0 && this.left-- > 0) this.call()
      })
  }

  // ---- time -------------------------------------------------------------------------------------

  async step(): Promise<void> {
    const { network, clock, random } = this
    await turn()
    clock.advance(this.isCalm ? 20 : random(random(10) === 0 ? 300 : 3))
    network.pump(random(3) === 0 ? 1 + random(1000) : undefined)
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let n = 0; !isSo(); n++) {
      if (n > MOST_STEPS)
        return this.complain(`not within ${n} steps: ${what}; ${inspect(this.pending)}`)
      await this.step()
    }
  }

  async end(): Promise<void> {
    const { client, engine, network, clock, random } = this
    const how = random(3)
    if (how < 2 && client.state !== 'closed') this.close(how === 0)
    if (how < 2) await this.until('it is closed', () => client.state === 'closed')
    let isStopped = false
    void engine.stop({ timeout: 50 }).then(() => (isStopped = true))
    await this.until('the engine has stopped', () => isStopped)
    await this.until('all promises have settled', () => this.pending.size === 0)
    for (let n = 0; n < 10; n++) await this.step()
    if (this.isOpen) this.complain('on_close was not called')
    if (engine.channels.size > 0) this.complain(`${engine.channels.size} channels are left`)
    if (network.transports.length > 0) this.complain(`${network.transports.length} transports`)
    if (clock.pending > 0) this.complain(`${clock.pending} timers are left`)
  }

  /** A round. Returns what was wrong. */
  async play(port: number): Promise<string[]> {
    const { random } = this
    const unhandled = (error: unknown): void =>
      this.complain(`unhandled: ${(error as Error)?.stack ?? String(error)}`)
    process.on('unhandledRejection', unhandled)
    this.server.listen(port)
    await this.step()
    this.connect()
    for (let n = 50 + random(200); n > 0; n--) {
      pick(random, [() => this.call(), () => this.event()])()
      if (random(2) === 0) await this.step()
    }
    await this.calm()
    await this.end()
    await turn()
    process.off('unhandledRejection', unhandled)
    return this.wrong
  }
}
