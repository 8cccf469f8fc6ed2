/**
 * Layer 9. Layer: reaches consumers from any part of a program, in any process: one by its name, or
 * all that are in a group.
 *
 * | topic of the relay | who is subscribed | what is published |
 * |---|---|---|
 * | `envelope:to:PREFIX.PROCESS` | that process | `{ to }` with `event`, `join` or `leave` |
 * | `envelope:group:NAME` | each process that has a member | the event |
 *
 * Rules:
 * 1. Everything goes through the relay, even to members of this process. So the order is that of
 *    the calls, and nothing is delivered inside a call.
 * 2. Delivery is at most once: a consumer that is not connected misses the event.
 */

import { having } from '../../core/checks.ts'
import { noop } from '../../core/noop.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Relay, RelayListener } from '../../relay/relay.ts'
import { checkEvent, type LayerEvent } from '../envelope-transports.ts'
import { checkName, processOf } from './channel-name.ts'

/** A member of a layer, which is reached through it: a consumer, or an object of the program. */
export interface LayerMember {
  /** Its name, see `new_channel_name`. */
  readonly channel_name: string
  /** The names of the groups that it is in. The layer keeps them. */
  readonly subscriptions: Set<string>
  /** Gets the events. */
  receive_event(event: LayerEvent): void
  /** Gets the error if it cannot be reached. */
  on_error(error: Error): unknown
}

/** What is published to one process. */
interface Parcel {
  readonly to: string
  readonly event?: LayerEvent
  readonly join?: string
  readonly leave?: string
}

const checkMember = having<LayerMember>('receive_event', 'a member, such as a consumer')

interface Group {
  readonly members: Set<LayerMember>
  readonly listener: RelayListener
  readonly subscribed: Promise<void>
}

/**
 * Reaches consumers in any process. Processes that make a layer over the same server reach each
 * other's consumers.
 *
 * @example
 * add_layers(new Layer(open_relay('redis://localhost')))
 */
export class Layer {
  /** Its name: envelopes choose their layer by `layer_name`. */
  readonly name: string
  /** What it goes through. */
  readonly relay: Relay
  readonly #members = new Map<string, LayerMember>()
  readonly #groups = new Map<string, Group>()
  /** The topics of this process; members may have several prefixes. */
  readonly #subscribed = new Map<string, Promise<void>>()

  /** Throws InvalidArgumentError for an invalid name. */
  constructor(relay: Relay, name = 'default') {
    if (typeof relay?.publish !== 'function')
      throw new InvalidArgumentError('new Layer: relay', 'a relay, as open_relay makes', relay)
    this.relay = relay
    this.name = checkName('new Layer: name', name)
  }

  // ---- members ----------------------------------------------------------------------------------

  /**
   * Adds a member. Resolves when it can be reached. Consumers do this themselves. Rejects with
   * InvalidArgumentError for an invalid name, and with the error of the relay.
   */
  async add(member: LayerMember): Promise<void> {
    checkMember('add: member', member)
    const topic = topicOf(checkName('add: channel_name', member.channel_name))
    this.#members.set(member.channel_name, member)
    const subscribed = this.#subscribed.get(topic) ?? this.relay.subscribe(topic, this.#deliver)
    this.#subscribed.set(topic, subscribed)
    await subscribed
  }

  /** Removes a member, from all its groups as well. Throws InvalidArgumentError. */
  remove(member: LayerMember): void {
    checkMember('remove: member', member)
    if (this.#members.get(member.channel_name) !== member) return
    for (const group of member.subscriptions) this.#leave(group, member)
    this.#members.delete(member.channel_name)
  }

  readonly #deliver = (bytes: Buffer): void => {
    const { to, event, join, leave } = JSON.parse(bytes.toString()) as Parcel
    const member = this.#members.get(to)
    if (member === undefined) return
    if (event !== undefined) member.receive_event(event)
    if (join !== undefined)
      this.#join(join, member)
        .catch((error: unknown) => member.on_error(error as Error))
        .catch(noop)
    if (leave !== undefined) this.#leave(leave, member)
  }

  // ---- sending ----------------------------------------------------------------------------------

  /**
   * Sends an event to a member. Returns false if the server of the relay is away: the event is
   * dropped. Throws InvalidArgumentError for an invalid name or event.
   */
  send(channel_name: string, event: LayerEvent): boolean {
    checkEvent('send: event', event)
    return this.#post({ to: checkName('send: channel_name', channel_name), event })
  }

  #post(parcel: Parcel): boolean {
    return this.relay.publish(topicOf(parcel.to), JSON.stringify(parcel))
  }

  /** Sends an event to all members of a group. Otherwise as `send`. */
  group_send(group: string, event: LayerEvent): boolean {
    checkName('group_send: group', group)
    checkEvent('group_send: event', event)
    return this.relay.publish(`envelope:group:${group}`, JSON.stringify(event))
  }

  // ---- groups -----------------------------------------------------------------------------------

  /**
   * Puts a member into a group. Resolves when the member gets what is sent to the group. (If it
   * belongs to another process, that process is told, and the promise does not wait for it.)
   * Rejects with InvalidArgumentError for an invalid name.
   */
  async group_add(group: string, channel_name: string): Promise<void> {
    checkName('group_add: group', group)
    const member = this.#members.get(checkName('group_add: channel_name', channel_name))
    if (member !== undefined) await this.#join(group, member)
    else this.#post({ to: channel_name, join: group })
  }

  /**
   * Takes a member out of a group, whichever process it belongs to. Throws InvalidArgumentError for
   * an invalid name.
   */
  group_discard(group: string, channel_name: string): void {
    checkName('group_discard: group', group)
    const member = this.#members.get(checkName('group_discard: channel_name', channel_name))
    if (member !== undefined) this.#leave(group, member)
    else this.#post({ to: channel_name, leave: group })
  }

  async #join(name: string, member: LayerMember): Promise<void> {
    const group = this.#groups.get(name) ?? this.#made(name)
    group.members.add(member)
    member.subscriptions.add(name)
    await group.subscribed
  }

  #made(name: string): Group {
    const members = new Set<LayerMember>()
    const listener = (bytes: Buffer): void => {
      const event = JSON.parse(bytes.toString()) as LayerEvent
      for (const member of [...members]) member.receive_event(event)
    }
    const subscribed = this.relay.subscribe(`envelope:group:${name}`, listener)
    // Each member that joins awaits it, and deals with the error.
    subscribed.catch(() => {})
    const group = { members, listener, subscribed }
    this.#groups.set(name, group)
    return group
  }

  #leave(name: string, member: LayerMember): void {
    member.subscriptions.delete(name)
    const group = this.#groups.get(name)
    if (group?.members.delete(member) !== true || group.members.size > 0) return
    this.#groups.delete(name)
    this.relay.unsubscribe(`envelope:group:${name}`, group.listener)
  }
}

/** The topic of the process whose member has this name. */
function topicOf(channel_name: string): string {
  return `envelope:to:${processOf(channel_name)}`
}
