/**
 * Layer 9. Neighbours: the other routers of one relay, and who is at them.
 *
 * Out: a member that is at another router has that router as its peer → publish → its topic.
 * In: the topic of this router → relayed.
 *
 * Rules:
 * 1. Only the presence of the relay says which party is at which router. Each time that a party
 *    comes to a router, it has a new entry there. The entry that came last counts.
 * 2. It does not make up for what the relay loses. It reports when something may be lost, and then
 *    the ends tell each other how far they are.
 * 3. What the relay refuses for good is dropped, and told: trying again would hold up all the rest.
 */

import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { codeOf, messageOf } from '../../errors.ts'
import { insist } from '../../relay/insist.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { PacketChannelError } from '../errors.ts'
import { ParcelReader, ParcelSender } from './parcels.ts'
import type { Peer } from './peer.ts'

/** The switchboard that it works for. */
export interface NeighboursOwner {
  /**
   * A party is at another router. `isOld`: it came there before; if it is here now, it stays here.
   */
  elsewhere(id: string, peer: Peer, confirms: boolean, isOld: boolean): void
  /** It is not at that router any more, and at no other. */
  left(id: string, peer: Peer): void
  /** A packet has come from another router; `peer` is undefined if no party is known there. */
  relayed(peer: Peer | undefined, from: string, to: string, text: string): void
  ready(peer: Peer): void
  /** Something may be lost on the way between routers. */
  interrupted(): void
  failed(error: Error): void
}

/** A party at another router. */
interface Place {
  readonly entry: string
  readonly peer: Neighbour
  readonly confirms: boolean
}

/** The topic of presence, and of what every router gets. That of one router has its id, too. */
const TOPIC = 'sluice-packets'

/** A relay whose server is away is tried again after this time. */
const RETRY: Milliseconds = 100

/** Another router. */
class Neighbour implements Peer {
  readonly isRouter = true
  readonly address: string
  readonly #publish: (from: string, to: string, text: string) => boolean
  /** How many parties are there. */
  count = 0

  constructor(id: string, publish: (from: string, to: string, text: string) => boolean) {
    this.address = `router ${id}`
    this.#publish = publish
  }

  send(text: string, from: string, to: string): boolean {
    return this.#publish(from, to, text)
  }

  /** Does nothing: other parties may be there. */
  end(): void {}
}

export class Neighbours {
  readonly #id = Math.random().toString(36).slice(2, 12)
  readonly #relay: Relay
  readonly #engine: Engine
  readonly #owner: NeighboursOwner
  readonly #peers = new Map<string, Neighbour>()
  /** Where each party is, the latest place last. */
  readonly #places = new Map<string, Place[]>()
  /** The entries of those who are here. */
  readonly #here = new Map<string, string>()
  #count = 0
  readonly #parcels: ParcelSender
  /** What comes to this router alone, and to all. */
  readonly #ours: ParcelReader
  readonly #everybodys: ParcelReader
  #isWatched = false
  #cancelRetry: Cancel | undefined
  #isClosed = false

  constructor(relay: Relay, engine: Engine, owner: NeighboursOwner) {
    this.#relay = relay
    this.#parcels = new ParcelSender(relay)
    this.#ours = new ParcelReader(this.#id)
    this.#everybodys = new ParcelReader(this.#id)
    this.#engine = engine
    this.#owner = owner
  }

  /** Resolves when the others are known. Rejects if the relay refuses. */
  async open(): Promise<void> {
    const relay = this.#relay
    await relay.opened
    const on_gap = (): void => this.#owner.interrupted()
    await this.#insist(() => relay.subscribe(`${TOPIC}:${this.#id}`, this.#heard, { on_gap }))
    await this.#insist(() => relay.subscribe(TOPIC, this.#heardByAll))
    await this.#insist(() => relay.watch(TOPIC, this.#moved))
  }

  async #insist(call: () => Promise<void>, isWanted = () => true): Promise<void> {
    await insist(this.#engine, () => !this.#isClosed && isWanted(), call)
  }

  // ---- those who are here -----------------------------------------------------------------------

  /** A party has come to this router. */
  came(id: string, confirms: boolean): void {
    const entry = `${this.#id} ${++this.#count} ${confirms ? 'c' : 'p'} ${id}`
    const older = this.#here.get(id)
    this.#here.set(id, entry)
    this.#tell(
      this.#insist(
        () => this.#relay.present(TOPIC, entry),
        () => this.#here.get(id) === entry,
      ),
    )
    if (older !== undefined) this.#absent(older)
  }

  /** The party has gone to another router. */
  moved(id: string): void {
    const entry = this.#here.get(id)
    this.#here.delete(id)
    if (entry !== undefined) this.#absent(entry)
  }

  /** The party has gone. If it is known to be at another router, it counts as there. */
  gone(id: string): void {
    this.moved(id)
    const place = this.#places.get(id)?.at(-1)
    if (place !== undefined) this.#owner.elsewhere(id, place.peer, place.confirms, true)
  }

  #absent(entry: string): void {
    this.#tell(this.#insist(() => this.#relay.absent(TOPIC, entry)))
  }

  #tell(promise: Promise<void>): void {
    promise.catch((error: Error) => {
      const code = codeOf(error)
      if (code !== 'ERR_RELAY_CLOSED' && code !== 'ERR_RELAY_UNAVAILABLE') this.#owner.failed(error)
    })
  }

  // ---- those who are elsewhere ------------------------------------------------------------------

  readonly #moved = (came: readonly string[], went: readonly string[]): void => {
    const isOld = !this.#isWatched
    this.#isWatched = true
    for (const entry of came) this.#enter(entry, isOld)
    for (const entry of went) this.#leave(entry)
  }

  #enter(entry: string, isOld: boolean): void {
    const [router, confirms, id] = partsOf(entry)
    if (router === this.#id || id === undefined) return
    const peer = this.#peerOf(router)
    const place = { entry, peer, confirms: confirms === 'c' }
    const places = this.#places.get(id)
    if (places === undefined) this.#places.set(id, [place])
    else places.push(place)
    peer.count++
    this.#owner.elsewhere(id, peer, place.confirms, isOld)
  }

  #leave(entry: string): void {
    const [router, , id] = partsOf(entry)
    const places = this.#places.get(id as string)
    const index = places?.findIndex(place => place.entry === entry) ?? -1
    if (places === undefined || index < 0) return
    const wasLast = index === places.length - 1
    const { peer } = places.splice(index, 1)[0] as Place
    if (--peer.count === 0) this.#forget(router)
    const last = places.at(-1)
    if (last === undefined) {
      this.#places.delete(id as string)
      this.#owner.left(id as string, peer)
    } else if (wasLast) this.#owner.elsewhere(id as string, last.peer, last.confirms, true)
  }

  #forget(router: string): void {
    this.#peers.delete(router)
    this.#ours.forget(router)
    this.#everybodys.forget(router)
  }

  #peerOf(router: string): Neighbour {
    const known = this.#peers.get(router)
    if (known !== undefined) return known
    const topic = `${TOPIC}:${router}`
    const peer = new Neighbour(router, (...what) => this.#publish(topic, ...what))
    this.#peers.set(router, peer)
    return peer
  }

  // ---- packets ----------------------------------------------------------------------------------

  /** Every other router gets it. */
  toAll(from: string, to: string, text: string): void {
    this.#publish(TOPIC, from, to, text)
  }

  #publish(topic: string, from: string, to: string, text: string): boolean {
    try {
      const isFree = this.#cancelRetry === undefined
      if (isFree && this.#parcels.send(topic, [this.#id, from, to], text)) return true
    } catch (error) {
      const what = `a packet of ${from} for ${to} is dropped: ${messageOf(error)}`
      this.#owner.failed(new PacketChannelError('ERR_DROPPED', what, error))
      return true
    }
    this.#retryLater()
    return false
  }

  #retryLater(): void {
    if (this.#isClosed) return
    this.#cancelRetry ??= this.#engine[DRIVE].after(RETRY, () => {
      this.#cancelRetry = undefined
      for (const peer of this.#peers.values()) this.#owner.ready(peer)
      if (this.#cancelRetry === undefined) this.#owner.interrupted()
    })
  }

  readonly #heard = (bytes: Buffer): void => this.#hear(this.#ours, bytes)

  readonly #heardByAll = (bytes: Buffer): void => this.#hear(this.#everybodys, bytes)

  #hear(reader: ParcelReader, bytes: Buffer): void {
    const parcel = reader.read(bytes)
    if (parcel === undefined) return
    if (parcel === null)
      return this.#owner.failed(
        new PacketChannelError('ERR_DROPPED', `the relay: no packet of a router on ${TOPIC}`),
      )
    const [router, from, to] = parcel.head
    this.#owner.relayed(this.#peers.get(router), from, to, parcel.text)
  }

  /** The members are not here any more. Resolves when the relay knows. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry?.()
    const relay = this.#relay
    relay.unwatch(TOPIC, this.#moved)
    relay.unsubscribe(TOPIC, this.#heardByAll)
    relay.unsubscribe(`${TOPIC}:${this.#id}`, this.#heard)
    const entries = [...this.#here.values()]
    this.#here.clear()
    await Promise.all(entries.map(entry => relay.absent(TOPIC, entry).catch(noop)))
  }
}

/** Router, does it confirm, id; the id may have spaces. */
function partsOf(entry: string): [router: string, confirms?: string, id?: string] {
  const [, router = '', confirms, id] = /^(\S+) \d+ ([cp]) (.*)$/s.exec(entry) ?? []
  return [router, confirms, id] as [string, string?, string?]
}
