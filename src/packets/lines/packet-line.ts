/**
 * Layer 9. PacketLine: one channel of packets, and the parties at its other end.
 *
 * The way of a packet out: send → the queue of the sender, or the stream of its party.
 * The way in: receive → its number → the party's inbox → deliver → #delivered → confirmed later.
 *
 * | mode | the router | what is sent |
 * |---|---|---|
 * | asking | has said nothing yet | only what the line says itself |
 * | guessing | has said nothing for a while | each stream, once; all of it is kept |
 * | waiting | is one of ours, and another party must come first | as in asking |
 * | plain | is as in the original | the queue, in order: what was handed on is forgotten |
 * | confirming | passes on how far the ends are | the stream of each party, as far as it is there |
 *
 * Rules:
 * 1. A router of ours says so in its first packet on each connection. If the first packet is
 *    another one, the router works as in the original. Silence proves nothing: the router may stand
 *    still.
 * 2. While the line guesses, each packet is sent once, with its place, and kept. If the router
 *    turns out to confirm, what is missing is sent again, and what comes twice is dropped at the
 *    other end. If it does not, what was handed on is forgotten. So to such a router nothing is
 *    ever sent twice.
 * 3. When it is known that the router confirms, a party gets packets only after it has said how far
 *    it is, on this connection.
 */

import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { PacketChannel } from '../channel/packet-channel.ts'
import { PacketChannelError } from '../errors.ts'
import type { Packet } from '../packet.ts'
import type { Budget } from './budget.ts'
import type { ChannelStats } from './channel-stats.ts'
import { LineSender, type SenderOwner } from './line-sender.ts'
import { Party, type PartyOwner } from './party.ts'
import { type Progress, progressOf } from './stream-ends.ts'

/** What has the line: a run of a supervisor, or an agent. */
export interface LineOwner {
  /** Says who is at this end, and asks how the other end works. */
  greet(line: PacketLine): void
  /** The router says nothing: asks for what one of any make answers. */
  knock(line: PacketLine): void
  /** The party that a packet is for; undefined: it is for the router itself. */
  partyOf(packet: Packet): string | undefined
  /** Hands a packet to its handler. The promise never rejects. */
  deliver(line: PacketLine, from: string, packet: Packet): Promise<void> | undefined
  /** A packet of this end about a stream. */
  word(type: 'alive' | 'confirm', to: string, data: object): Packet
  report(error: Error): void
}

/** What `alive` and `confirm` say about the streams. */
export interface Said {
  /** What has arrived of the other's stream; null: nothing yet; undefined: it does not confirm. */
  readonly confirms?: Progress | null
  /** The stream of the end that says it, and how much of it is confirmed. */
  readonly sends?: Progress
}

/** After this time everything that has arrived is confirmed: the original's batches. */
const CONFIRM: Milliseconds = 50

/**
 * If the router has said nothing for this time, the line guesses. It is longer than a round trip.
 */
const PATIENCE: Milliseconds = 1000

/** The most parties of a line: each takes memory until the line ends. */
const PARTIES = 100_000

export class PacketLine {
  readonly channel: PacketChannel
  readonly budget: Budget
  readonly parties = new Map<string, Party>()
  /** For `stats`. */
  received = 0
  opened = 0
  lost = 0
  readonly #engine: Engine
  readonly #owner: LineOwner
  readonly #stream: string
  readonly #sender: LineSender
  #mode: 'asking' | 'guessing' | 'waiting' | 'plain' | 'confirming' = 'asking'
  /** The parties that something is to be confirmed to when its time has come. */
  readonly #confirmSoon = new Set<Party>()
  /** Do packets for parties go to their streams, and not to the queue? */
  #hasStreams = false
  #cancelConfirm: Cancel = noop
  #cancelGuess: Cancel = noop
  #isOver = false

  /** `stream`: the beginning of the names of its streams. No other line has it. */
  constructor(
    channel: PacketChannel,
    owner: LineOwner,
    { engine, budget, stream }: { engine: Engine; budget: Budget; stream: string },
  ) {
    this.channel = channel
    this.budget = budget
    this.#owner = owner
    this.#engine = engine
    this.#stream = stream
    this.#sender = new LineSender(channel, budget, engine, this.#senderOwner)
  }

  get mode(): ChannelStats['mode'] {
    return this.#mode === 'guessing' || this.#mode === 'waiting' ? 'asking' : this.#mode
  }

  /** How it is doing. */
  get stats(): ChannelStats {
    const { received, opened, lost, mode } = this
    const { sent, retries } = this.#sender
    const { channel_id } = this.channel
    const is_alive = this.channel.is_alive()
    const queued = this.budget.count
    return { channel_id, is_alive, queued, sent, received, lost, retries, opened, mode }
  }

  // ---- out --------------------------------------------------------------------------------------

  readonly #senderOwner: SenderOwner = {
    isOpen: () => this.#mode !== 'asking' && this.#mode !== 'waiting',
    confirmation: (party, isAnswer) => {
      const { confirms, sends } = this.stateOf(party)
      return this.#owner.word('confirm', party.id, isAnswer ? { confirms, sends } : { confirms })
    },
  }

  /**
   * Queues a packet for a party; undefined: for the router itself. Returns false if there is no
   * room. Throws PacketError if it is no JSON, or too large.
   */
  send(packet: Packet, to: string | undefined): boolean {
    if (to === undefined || !this.#isStream(to)) return this.#sender.queue(packet)
    const party = this.party(to)
    if (party === undefined || !party.outgoing.push(packet)) return false
    if (party.state !== 'away') this.#sender.ready(party)
    return true
  }

  /** Streams are for parties that confirm, or may turn out to. */
  #isStream(to: string): boolean {
    return this.#hasStreams && this.parties.get(to)?.state !== 'plain'
  }

  // ---- how the other end works ------------------------------------------------------------------

  /** The channel has become alive. No party is known to be there. */
  becomeAlive(): void {
    if (this.#isOver) return
    this.opened++
    this.#cancelGuess()
    for (const party of this.parties.values()) {
      party.state = 'away'
      party.isAsked = false
      party.outgoing.resume(undefined)
    }
    this.#sender.forget()
    this.#owner.greet(this)
    // A router that was plain is taken for plain again, unless it says something else.
    if (this.#mode !== 'plain') {
      this.#mode = 'asking'
      this.#cancelGuess = this.#engine[DRIVE].after(PATIENCE, () => this.#guess())
    }
    this.#sender.go()
  }

  #guess(): void {
    this.#mode = 'guessing'
    this.#restream()
    for (const party of this.parties.values()) {
      party.state = 'guessed'
      this.#sender.ready(party)
    }
    this.#sender.wake()
    this.#owner.knock(this)
  }

  /** The router is one of ours, and says that another party must come first. */
  waitForOthers(): void {
    if (this.#mode !== 'confirming') this.#become('waiting')
  }

  /** The router passes on what the two ends say about their streams. */
  becomeConfirming(): void {
    if (this.#mode === 'confirming') return
    this.#become('confirming')
    this.#sender.wake()
  }

  #become(mode: 'waiting' | 'confirming'): void {
    this.#cancelGuess()
    this.#mode = mode
    for (const party of this.parties.values()) if (party.state === 'guessed') party.state = 'away'
    this.#restream()
  }

  /** Something has arrived that a router of ours does not begin with. */
  heardAnother(): void {
    if (this.#mode === 'asking' || this.#mode === 'guessing') this.becomePlain()
  }

  /** The router, or the peer behind it, works as the original does. */
  becomePlain(): void {
    if (this.#mode === 'plain') return
    this.#cancelGuess()
    this.#mode = 'plain'
    this.#hasStreams = false
    for (const party of this.parties.values()) this.#drain(party)
    this.#sender.wake()
  }

  #drain(party: Party): void {
    for (const packet of party.outgoing.drain()) this.#sender.move(packet)
  }

  /** From now on packets for parties go to their streams, those in the queue first. */
  #restream(): void {
    this.#hasStreams = true
    for (const packet of this.#sender.takeBack()) {
      const id = this.#owner.partyOf(packet)
      const party = id === undefined ? undefined : this.party(id)
      if (id === undefined || party?.state === 'plain') this.#sender.move(packet)
      else party?.outgoing.move(packet)
    }
  }

  // ---- in ---------------------------------------------------------------------------------------

  /** The party of that id. Undefined if there are too many. */
  party(id: string): Party | undefined {
    const known = this.parties.get(id)
    if (known !== undefined) return known
    if (this.parties.size >= PARTIES) {
      this.#owner.report(dropped(`there are more than ${PARTIES} agents`))
      return undefined
    }
    const stream = `${this.#stream}.${this.parties.size}`
    const party = new Party(id, stream, this.budget, this.#partyOwner)
    if (this.#mode === 'guessing') party.state = 'guessed'
    this.parties.set(id, party)
    return party
  }

  readonly #partyOwner: PartyOwner = {
    deliver: (party, packet) => this.#owner.deliver(this, party.id, packet),
    delivered: (party, packet) => this.#delivered(party, packet),
    dropped: (party, isFirst) => {
      this.lost++
      if (isFirst)
        this.#owner.report(dropped(`packets of ${party.id} come faster than they are handled`))
    },
  }

  /** A packet has arrived from a party. */
  receive(packet: Packet, from: string): void {
    if (this.#isOver) return
    this.received++
    this.heardAnother()
    const party = this.party(from)
    if (party === undefined) return
    const { place } = packet
    if (place === undefined) {
      // One that confirms would have said so.
      if (party.state === 'away' && this.#mode === 'confirming') this.said(party, {}, false)
      return party.enter(packet)
    }
    if (this.#mode === 'plain') {
      // The other end guesses. What it has sent before is never sent again to a plain router.
      if (party.incoming.pass(place)) party.enter(packet.at(undefined))
      return
    }
    const taken = party.incoming.take(place)
    if (taken === 'next') party.enter(packet)
    else if (taken === 'again') this.#confirmLater(party)
    else this.#ask(party)
  }

  /** Something is missing: the other end must say how far it is. */
  #ask(party: Party): void {
    if (party.isAsked) return
    party.isAsked = this.channel.send(this.#owner.word('alive', party.id, this.stateOf(party)))
  }

  /** How far this end is, for an `alive`. */
  stateOf(party: Party): Said {
    return { confirms: party.incoming.progress ?? null, sends: party.outgoing.progress }
  }

  #delivered(party: Party, { place }: Packet): void {
    if (place === undefined || this.#isOver) return
    party.incoming.done(place)
    if (party.count()) this.#sender.confirm(party)
    else this.#confirmLater(party)
  }

  #confirmLater(party: Party): void {
    // One that is confirmed meanwhile stays: its next packets may be later.
    if (this.#confirmSoon.size === 0)
      this.#cancelConfirm = this.#engine[DRIVE].after(CONFIRM, () => {
        for (const each of this.#confirmSoon) this.#sender.confirm(each)
        this.#confirmSoon.clear()
      })
    this.#confirmSoon.add(party)
  }

  /**
   * A party says that it is there, or how far it is. `wantsAnswer`: it must be told how far this
   * end is.
   */
  said(party: Party, said: Said, wantsAnswer: boolean): void {
    if (said.confirms === undefined) {
      party.state = 'plain'
      return this.#drain(party)
    }
    const confirms = progressOf(said.confirms)
    const sends = progressOf(said.sends)
    if (sends === undefined) {
      // How far it is, and no more.
      if (confirms !== undefined) party.outgoing.confirm(confirms)
    } else {
      party.incoming.introduce(sends)
      party.outgoing.resume(confirms)
      party.state = 'confirming'
      party.isAsked = false
      if (wantsAnswer) this.#sender.confirm(party, true)
    }
    if (party.state === 'confirming') this.#sender.ready(party)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Nothing more is sent or delivered. What waits is dropped; returns how much. */
  end(): number {
    const { count } = this.budget
    this.#isOver = true
    this.#cancelConfirm()
    this.#cancelGuess()
    for (const party of this.parties.values()) party.outgoing.clear()
    this.#sender.end()
    return count
  }
}

function dropped(why: string): PacketChannelError {
  return new PacketChannelError('ERR_DROPPED', `a packet was dropped: ${why}`)
}
