/**
 * Layer 9. Packet: what supervisors, routers and agents send to each other. One packet is one JSON
 * object, and one message of the channel that carries it.
 *
 * There are two shapes. A packet of 2020 names its sender and its receiver. A packet of today names
 * the one agent that it is about, and has timestamps.
 *
 * | 2020 | today |
 * |---|---|
 * | packet_type | packet_type |
 * | sender_id, receiver_id | subject_id |
 * | data | data |
 * | | client_timestamp, router_incoming_timestamp, router_outgoing_timestamp, server_timestamp |
 *
 * Rules:
 * 1. A packet does not change once it is made: its text is written once, however often it is sent.
 * 2. The fields are checked in the order of the table. The first fault is reported.
 * 3. A packet has `stream` and `number` only on its way between two ends that confirm.
 */
// Source: Mephisto, `data_model/packet.py`.

import { Buffer } from 'node:buffer'
import { checkOptions } from '../core/options.ts'
import { messageOf, show } from '../errors.ts'
import type { Bytes } from '../types.ts'
import { PacketError } from './errors.ts'

/** What a packet carries: an object of JSON. */
export type PacketData = Readonly<Record<string, unknown>>

/** When a packet of today passed each party, in seconds since 1970. null: unknown. */
export interface PacketTimestamps {
  /** When the agent sent it. */
  readonly client_timestamp?: number | null | undefined
  /** When it came to the router. */
  readonly router_incoming_timestamp?: number | null | undefined
  /** When it left the router. */
  readonly router_outgoing_timestamp?: number | null | undefined
  /** When the supervisor made it. @default now, in a packet that a program makes */
  readonly server_timestamp?: number | null | undefined
}

/** The fields of a packet of 2020. */
export interface PacketFields2020<Data extends object = PacketData> {
  /** What kind of packet it is; see `PACKET_TYPES`. */
  readonly packet_type: string
  /** The id of the sender. */
  readonly sender_id: string
  /** The id of the receiver. */
  readonly receiver_id: string
  /** What it carries. @default {} */
  readonly data?: Data | null
}

/** The fields of a packet of today. */
export interface PacketFieldsToday<Data extends object = PacketData> extends PacketTimestamps {
  /** What kind of packet it is; see `PACKET_TYPES`. */
  readonly packet_type: string
  /** The agent that sends it, or gets it. */
  readonly subject_id: string
  /** What it carries. @default {} */
  readonly data?: Data | null
}

/** The fields of a packet: 2020 has `sender_id` and `receiver_id`, today has `subject_id`. */
export type PacketFields<Data extends object = PacketData> =
  PacketFields2020<Data> | PacketFieldsToday<Data>

/** A packet as it is on the wire; see `to_sendable_dict()`. */
export interface PacketDict {
  [field: string]: unknown
}

/** The place of a packet among those that one end has sent to another. */
export interface PacketPlace {
  /** The name of the stream. */
  readonly stream: string
  /** The number of the packet in the stream, from 1. */
  readonly number: number
}

const TIMESTAMPS = [
  'client_timestamp',
  'router_incoming_timestamp',
  'router_outgoing_timestamp',
  'server_timestamp',
] as const
const NAMES_2020 = ['packet_type', 'sender_id', 'receiver_id', 'data']
const NAMES_TODAY = ['packet_type', 'subject_id', 'data', ...TIMESTAMPS]

/**
 * Ids and types are names, not data. With this bound, what is stored for each of them stays small.
 */
const NAME_MAX = 256

/**
 * What is sent between a supervisor, a router and agents.
 *
 * @example
 * new Packet({ packet_type: 'agent_action', sender_id: 'ann', receiver_id: 'mephisto', data: {} })
 */
export class Packet<Data extends object = any> {
  /** What kind of packet it is; on the wire `packet_type`. */
  readonly type: string
  /** The id of the sender; undefined in a packet of today. */
  readonly sender_id: string | undefined
  /** The id of the receiver; undefined in a packet of today. */
  readonly receiver_id: string | undefined
  /** The agent that it is about; undefined in a packet of 2020. */
  readonly subject_id: string | undefined
  /** What it carries. Do not change it: make a `copy()`. */
  readonly data: Data
  /** The times of a packet of today; undefined in one of 2020. */
  readonly timestamps: Required<PacketTimestamps> | undefined
  /** Its place, if the two ends confirm; otherwise undefined. A program never sets it. */
  readonly place: PacketPlace | undefined
  #text: string | undefined
  #size: Bytes | undefined

  /**
   * Throws PacketError (ERR_PACKET) for the first field that is invalid, and InvalidArgumentError
   * for one that does not exist.
   */
  constructor(fields: PacketFields<Data>, place?: PacketPlace) {
    const isToday = checkKind(fields)
    checkOptions('new Packet', fields, isToday ? NAMES_TODAY : NAMES_2020)
    const given = fields as unknown as PacketDict
    this.type = nameOf(given, 'packet_type')
    this.sender_id = isToday ? undefined : nameOf(given, 'sender_id')
    this.receiver_id = isToday ? undefined : nameOf(given, 'receiver_id')
    this.subject_id = isToday ? nameOf(given, 'subject_id') : undefined
    this.data = dataOf(given, false) as Data
    this.timestamps = isToday ? timesOf(given, Date.now() / 1000) : undefined
    this.place = place
  }

  /**
   * Makes a packet of what has arrived. Fields that no shape has are ignored. Throws PacketError
   * (ERR_PACKET), whose `field` and message name the first field that is missing or invalid.
   */
  static from_dict<Data extends object = any>(dict: unknown): Packet<Data> {
    const isToday = checkKind(dict)
    const given = dict as PacketDict
    const packet_type = nameOf(given, 'packet_type')
    const ids = isToday
      ? { subject_id: nameOf(given, 'subject_id') }
      : { sender_id: nameOf(given, 'sender_id'), receiver_id: nameOf(given, 'receiver_id') }
    const data = dataOf(given, true) as Data
    const times = isToday ? timesOf(given, null) : undefined
    const fields = { packet_type, ...ids, data, ...times } as unknown as PacketFields<Data>
    return new Packet<Data>(fields, placeOf(given))
  }

  /** `from_dict` of a JSON text. Throws PacketError (ERR_PACKET) also if it is not JSON. */
  static from_text<Data extends object = any>(text: string): Packet<Data> {
    let dict: unknown
    try {
      dict = JSON.parse(text)
    } catch (error) {
      throw new PacketError('', `the packet is no JSON: ${messageOf(error)}`, error)
    }
    return Packet.from_dict<Data>(dict)
  }

  /** The fields as they are on the wire. */
  to_sendable_dict(): PacketDict {
    const { type, data, timestamps, place } = this
    const dict: PacketDict =
      timestamps === undefined
        ? { packet_type: type, sender_id: this.sender_id, receiver_id: this.receiver_id, data }
        : { packet_type: type, subject_id: this.subject_id, data, ...timestamps }
    if (place !== undefined) {
      dict.stream = place.stream
      dict.number = place.number
    }
    return dict
  }

  /**
   * The text of JSON that is sent. It is written at the first call. Throws PacketError (ERR_PACKET)
   * if `data` is not JSON: a circle, or a bigint.
   */
  to_text(): string {
    if (this.#text !== undefined) return this.#text
    try {
      return (this.#text = JSON.stringify(this.to_sendable_dict()))
    } catch (error) {
      throw new PacketError('data', `packet: data must be JSON: ${messageOf(error)}`, error)
    }
  }

  /** How many bytes of UTF-8 its text has. Throws as `to_text`. */
  get size(): Bytes {
    return (this.#size ??= Buffer.byteLength(this.to_text()))
  }

  /**
   * A packet with the same fields and a copy of the data. `changes`: the fields that differ. Throws
   * as the constructor.
   */
  copy(
    changes: Partial<PacketFields2020<Data>> | Partial<PacketFieldsToday<Data>> = {},
  ): Packet<Data> {
    const { stream, number, ...fields } = this.to_sendable_dict()
    const data = structuredClone(this.data)
    return new Packet<Data>({ ...(fields as unknown as PacketFields<Data>), data, ...changes })
  }

  /** The same packet at another place of a stream, or without one. */
  at(place: PacketPlace | undefined): Packet<Data> {
    const { stream: _, number: __, ...fields } = this.to_sendable_dict()
    return new Packet<Data>(fields as unknown as PacketFields<Data>, place)
  }

  /** `packet agent_action from ann to mephisto`, for logs. */
  toString(): string {
    return this.timestamps === undefined
      ? `packet ${this.type} from ${this.sender_id} to ${this.receiver_id}`
      : `packet ${this.type} of ${this.subject_id}`
  }
}

// ---- helpers ------------------------------------------------------------------------------------

/** A packet, given as one or as its fields. Throws as the constructor. */
export function toPacket(given: Packet | PacketFields): Packet {
  return given instanceof Packet ? given : new Packet(given)
}

/** The sender; in a packet of today, the agent that it is about. */
export function fromOf(packet: Packet): string {
  return (packet.sender_id ?? packet.subject_id) as string
}

/** The receiver; in a packet of today, the agent that it is about. */
export function toOf(packet: Packet): string {
  return (packet.receiver_id ?? packet.subject_id) as string
}

// ---- the checks, in their order -----------------------------------------------------------------

/** Is it a packet of today? Throws if it is not an object, or has the ids of both shapes. */
function checkKind(dict: unknown): boolean {
  if (typeof dict !== 'object' || dict === null || Array.isArray(dict))
    throw new PacketError('', `a packet must be an object; got ${show(dict)}`)
  const isToday = 'subject_id' in dict
  if (isToday && ('sender_id' in dict || 'receiver_id' in dict))
    throw new PacketError(
      'subject_id',
      'packet: subject_id must be left out of a packet with sender_id or receiver_id',
    )
  return isToday
}

function nameOf(dict: PacketDict, field: string): string {
  const value = dict[field]
  if (value === undefined) throw new PacketError(field, `packet: the field ${field} is missing`)
  if (typeof value !== 'string' || value === '' || value.length > NAME_MAX)
    throw new PacketError(
      field,
      `packet: ${field} must be a text of 1 to ${NAME_MAX} characters; got ${show(value)}`,
    )
  return value
}

function dataOf(dict: PacketDict, isRequired: boolean): object {
  const { data } = dict
  if (data === undefined && isRequired)
    throw new PacketError('data', 'packet: the field data is missing')
  if (data === undefined || data === null) return {}
  if (typeof data !== 'object' || Array.isArray(data))
    throw new PacketError('data', `packet: data must be an object; got ${show(data)}`)
  return data
}

function timesOf(dict: PacketDict, now: number | null): Required<PacketTimestamps> {
  const times: Record<string, number | null> = {}
  for (const name of TIMESTAMPS) {
    const value = dict[name] ?? (name === 'server_timestamp' && dict[name] !== null ? now : null)
    if (value !== null && !Number.isFinite(value))
      throw new PacketError(
        name,
        `packet: ${name} must be a number of seconds, or null; got ${show(value)}`,
      )
    times[name] = value as number | null
  }
  return times as unknown as Required<PacketTimestamps>
}

function placeOf({ stream, number }: PacketDict): PacketPlace | undefined {
  if (stream === undefined && number === undefined) return undefined
  if (typeof stream !== 'string' || stream === '' || stream.length > NAME_MAX)
    throw new PacketError('stream', `packet: stream must be a text; got ${show(stream)}`)
  if (!Number.isSafeInteger(number) || (number as number) < 1)
    throw new PacketError('number', `packet: number must be 1 or more; got ${show(number)}`)
  return { stream, number: number as number }
}
