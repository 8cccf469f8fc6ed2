/**
 * Layer 7. NatsSession: the connections of a NatsClient, one after the other. It is the driver of
 * the client's life and the owner of its wires.
 *
 * The way of a client: open → try → ready → lost → (back-off) → try … → drain or abort → finish
 *
 * Rules:
 * 1. `#wire` is the connection that everything goes by. Another one may be under way (`#attempt`),
 *    or ready and waiting until this one is empty (`#next`), if the server is a lame duck.
 * 2. Nothing goes by two connections, so nothing comes twice. What is on its way when a connection
 *    is lost is lost.
 * 3. After each hook the state is looked at again: the hook may have closed the client.
 */

import type { Driver } from '../../channels/hooks.ts'
import type { Life } from '../../channels/life.ts'
import { Backoff } from '../../core/backoff.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import type { Drive } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import { onRejection } from '../../core/promises.ts'
import type { Gauge } from '../../core/tally.ts'
import type { Turn } from '../../core/time/turns.ts'
import type { Engine } from '../../engine.ts'
import type { Cancel, CloseReason } from '../../types.ts'
import type { Delivery } from './delivery.ts'
import { clientClosed, disconnected, NatsError } from './errors.ts'
import type { NatsMessage, Publisher } from './message.ts'
import type { NatsValues } from './nats-settings.ts'
import type { NatsServerInfo } from './parser.ts'
import { type NatsServer, Servers } from './servers.ts'
import { Traffic, type TrafficOwner } from './traffic.ts'
import { Wire, type WireOwner } from './wire.ts'

/** The bytes of a client are counted by its wires. */
const GAUGE: Gauge = { kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

/** What the server refuses when it lets nobody subscribe, with the subject. */
const NO_SUBSCRIPTION = /permissions violation for subscription to "([^"]*)"/i

export class NatsSession implements Driver, WireOwner, TrafficOwner, Turn {
  readonly life: Life
  readonly publisher: Publisher
  values: NatsValues
  readonly traffic: Traffic
  readonly #slow: (one: Delivery) => void
  #servers = new Servers([])
  #backoff = new Backoff()
  #wire: Wire | undefined
  #attempt: Wire | undefined
  #next: Wire | undefined
  /** All that have not closed. */
  readonly #wires = new Set<Wire>()
  #info: NatsServerInfo | undefined
  /** The attempts that have failed since the last connection. */
  #failures = 0
  /** How it ends: politely, and it has come to its last connection; or at once. */
  #ending: 'no' | 'draining' | 'last' | 'aborted' = 'no'
  #reason: CloseReason | undefined
  /** Why the client has failed. */
  fault: Error | undefined
  #cancelRetry: Cancel = noop
  #cancelEnd: Cancel = noop
  /** Made for those that wait for a connection. */
  #whenReady: Deferred<Wire> | undefined

  constructor(life: Life, publisher: Publisher, values: NatsValues, slow: (one: Delivery) => void) {
    this.life = life
    this.publisher = publisher
    this.values = values
    this.#slow = slow
    this.traffic = new Traffic(this)
  }

  get engine(): Engine {
    return this.life.engine
  }

  get drive(): Drive {
    return this.life.drive
  }

  get name(): string {
    return this.life.channel.name
  }

  get isConnected(): boolean {
    return this.#wire?.isReady === true
  }

  /** May something be sent, now or later? */
  get isLive(): boolean {
    const { state } = this.life
    return state === 'opening' || state === 'active' || this.#ending === 'draining'
  }

  wasOpened = false

  /** What the server says of itself; without a connection, what the last one said. */
  get info(): NatsServerInfo | undefined {
    return this.#info
  }

  // ---- open -------------------------------------------------------------------------------------

  open(servers: readonly NatsServer[]): void {
    this.life.beginOpening()
    this.life.announceSoon()
    this.wasOpened = true
    this.#servers = new Servers(servers)
    this.#backoff = new Backoff(this.values.backoff)
    this.#info = undefined
    this.#failures = 0
    this.#ending = 'no'
    this.#reason = this.fault = undefined
    this.#try()
  }

  #try(): void {
    if (this.drive.isStopping) return this.abort('drain')
    let server = this.#servers.take() as NatsServer
    if (server === this.#wire?.target) server = this.#servers.take() as NatsServer
    const wire = new Wire(this, server)
    this.#attempt = wire
    this.#wires.add(wire)
    this.life.addChild(wire)
    wire.dial()
  }

  ready(wire: Wire): void {
    this.#attempt = undefined
    this.#failures = 0
    this.#servers.welcome()
    this.#backoff.opened(this.engine.now)
    if (this.#wire === undefined) this.#goBy(wire)
    else this.#move(this.#wire, wire)
  }

  #goBy(wire: Wire): void {
    this.#wire = wire
    this.#next = undefined
    this.#info = wire.info
    this.#servers.told(wire.info.connect_urls, wire.target)
    this.traffic.goBy(wire)
    this.#whenReady?.resolve(wire)
    this.#whenReady = undefined
    if (this.life.state === 'opening') this.life.open('connect')
    if (this.#wire === wire && this.life.state === 'active') this.life.call('on_connect')
  }

  // ---- while it is open -------------------------------------------------------------------------

  deliver(message: NatsMessage): void {
    this.traffic.deliver(message)
  }

  /** Resolves when the server has processed everything that was sent before. */
  async flush(): Promise<void> {
    if (this.#wire?.isReady === true && this.#next === undefined) return this.#wire.roundTrip()
    if (this.#whenReady === undefined) {
      this.#whenReady = deferred<Wire>()
      this.#whenReady.promise.catch(noop)
    }
    return (await this.#whenReady.promise).roundTrip()
  }

  overflowed(): void {
    this.traffic.overflowed()
  }

  emptied(): void {
    this.traffic.emptied()
  }

  refused(error: NatsError): void {
    const [, subject] = NO_SUBSCRIPTION.exec(error.said) ?? []
    if (subject !== undefined) this.traffic.refused(subject, error)
    this.report(error)
  }

  report(error: NatsError): void {
    this.life.call('on_error', error)
  }

  slow(one: Delivery): void {
    this.#slow(one)
  }

  handlerFailed(error: unknown, isLate: boolean): void {
    this.life.promiseRejected(error, isLate)
  }

  // ---- a lame duck ------------------------------------------------------------------------------

  informed(wire: Wire): void {
    if (wire !== this.#wire) return
    const wasLeaving = this.#info?.ldm === true
    this.#info = wire.info
    this.#servers.told(wire.info.connect_urls, wire.target)
    if (!wire.info.ldm || wasLeaving) return
    this.life.call('on_lame_duck')
    const isAlone = this.#servers.size < 2
    if (this.isLive && this.#wire === wire && this.#attempt === undefined && !isAlone) this.#try()
  }

  /** What was sent to us by the old connection comes before anything that comes by the new one. */
  #move(old: Wire, next: Wire): void {
    this.#next = next
    this.traffic.wait()
    this.traffic.withdrawFrom(old)
    old.roundTrip().then(() => {
      if (this.#next !== next) return
      this.#wire = undefined
      old.finish()
      this.#goBy(next)
    }, noop)
  }

  // ---- lost -------------------------------------------------------------------------------------

  lost(wire: Wire, error: Error): void {
    this.#wires.delete(wire)
    if (this.#ending === 'last' || this.#ending === 'aborted') this.turn()
    else if (wire === this.#wire) this.#lostWire(wire, error)
    else if (wire === this.#attempt) this.#lostAttempt(wire, error)
    else if (wire === this.#next) {
      this.#next = undefined
      this.traffic.goBy(this.#wire as Wire)
      this.#retry()
    }
  }

  #lostWire(wire: Wire, error: Error): void {
    this.#wire = undefined
    this.traffic.wait(disconnected(error))
    this.life.call('on_disconnect', error)
    if (!this.isLive) return
    if (this.#next !== undefined) this.#goBy(this.#next)
    else if (this.#attempt === undefined) this.#tryAgain(wire, error)
  }

  #lostAttempt(wire: Wire, error: Error): void {
    this.#attempt = undefined
    this.#failures++
    if (this.#wire !== undefined) return this.#retry()
    if (this.#info === undefined && !this.values.wait_for_first) {
      if (this.#failures < this.#servers.size) return this.#try()
      return this.#fail(error)
    }
    this.life.call('on_disconnect', error)
    if (this.isLive) this.#tryAgain(wire, error)
  }

  #tryAgain({ target }: Wire, error: Error): void {
    if ((error as NatsError).code === 'ERR_NATS_AUTH') this.#servers.refused(target)
    if (this.#servers.size > 0 && this.#failures < this.values.max_reconnects) this.#retry()
    else this.#fail(error)
  }

  #fail(error: Error): void {
    this.fault = error
    this.life.fail(this.#info === undefined ? 'on_connect_error' : 'on_error', error)
  }

  #retry(): void {
    this.#cancelRetry()
    const wait = this.#backoff.next(this.engine.now)
    this.#cancelRetry = this.drive.after(wait, () => this.#try())
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Closes politely: what comes and what goes is finished first. */
  drain(): void {
    this.life.beginClosing()
    this.#ending = 'draining'
    const { end_timeout } = this.values
    if (end_timeout !== Infinity)
      this.#cancelEnd = this.drive.after(end_timeout, () => this.abort('timeout'))
    void this.#drain()
  }

  async #drain(): Promise<void> {
    await this.traffic.drain()
    if (this.#ending !== 'draining') return
    if (this.isConnected || this.traffic.hasQueued) await this.flush().catch(noop)
    if (this.#ending !== 'draining') return
    if (this.#wire?.isReady !== true) return this.abort()
    this.#ending = 'last'
    this.#closeOthers(this.#wire)
    this.#wire.finish()
  }

  /** Closes at once. */
  abort(reason?: CloseReason): void {
    const { state } = this.life
    if (this.#ending === 'aborted') return
    if (state !== 'closing') this.life.beginClosing(reason)
    this.#ending = 'aborted'
    this.#reason = reason
    this.traffic.stop(this.fault)
    this.#whenReady?.reject(clientClosed(this.fault))
    this.#whenReady = undefined
    this.#closeOthers()
    if (this.#wires.size === 0) this.drive.wake(this)
  }

  #closeOthers(but?: Wire): void {
    this.#cancelRetry()
    for (const wire of this.#wires) if (wire !== but) wire.close()
  }

  /** It is closed when its last wire is. */
  turn(): void {
    if (this.#wires.size > 0) return
    this.#cancelEnd()
    this.#wire = this.#attempt = this.#next = undefined
    this.traffic.stop(undefined)
    this.life.finishClosing(this.#reason)
  }

  // ---- the driver -------------------------------------------------------------------------------

  address(): string {
    const server = (this.#wire ?? this.#attempt)?.target
    return server === undefined ? '' : `${server.host}:${server.port}`
  }

  gauge(): Gauge {
    return GAUGE
  }

  hookReturned(result: unknown): void {
    onRejection(result, error => this.life.promiseRejected(error, !this.isLive))
  }

  /** Its wires are suspended with it. */
  suspended(): void {}

  resumed(): void {}
}
