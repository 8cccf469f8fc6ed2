/**
 * Layer 9. Incoming: takes apart what a member has sent, and does what it asks for.
 *
 * Each message is one of: a command (join, leave), a message to a room, or a message to the server.
 *
 * Rules:
 * 1. Every message that is not passed on is answered: by `refused` if it is a join, else by
 *    `dropped`. The exception is a message that a hook has dropped by returning false.
 * 2. A message is passed on as the text that it was. It is written anew only if a hook could have
 *    changed it, if it has a `_seq`, which only a server may set, or if it has line ends.
 */

import { isPromiseLike } from '../../core/promises.ts'
import { InvalidArgumentError, messageOf } from '../../errors.ts'
import {
  commandOf,
  decode,
  encodeFor,
  type Fields,
  fieldsOf,
  type Join,
  ROOM_NAME_MAX,
  roomOf,
  textOrBytes,
} from '../wire.ts'
import type { Room } from './room.ts'
import type { RoomServerValues } from './room-server-settings.ts'
import type { Seat } from './seat.ts'

export interface IncomingOwner {
  readonly values: RoomServerValues
  readonly rooms: ReadonlyMap<string, Room>
  /** Has the program a hook of its own? */
  overrides(hook: 'on_join' | 'on_room_message'): boolean
  /** Returns the room, which is made if there is none; undefined if there are too many. */
  roomFor(name: string): Room | undefined
  /** Calls a hook. If it throws, the promise rejects, and on_error has been told. */
  call(hook: `on_${string}`, ...args: unknown[]): unknown
  /** Sends a message to a room, in all processes. Returns why that is impossible, if it is. */
  say(room: string, from: Seat, text: string): string | undefined
  /** Sends a message to all other members of this process. */
  sayToAll(from: Seat, text: string): void
  failed(error: unknown): void
}

/** The longest `client` and `name` of a join; longer ones are cut. */
const LABEL_MAX = 64

/** The reason that a member gets if `on_error` was told the real one. */
const FAILED = 'the server has failed'

/** What is wrong with the name of a room; undefined if it is valid. */
export function nameFault(name: unknown, longest: number): string | undefined {
  if (typeof name !== 'string' || name === '') return 'the name of a room must be text, not empty'
  return name.length > longest ? `the name of a room has at most ${longest} characters` : undefined
}

export function hear(
  owner: IncomingOwner,
  seat: Seat,
  data: string | Buffer,
): Promise<void> | undefined {
  const text = typeof data === 'string' ? data : textOrBytes(data)
  const value = decode(text)
  const fields = fieldsOf(value)
  const command = fields && commandOf(fields)
  if (command?.type === '_join') return join(owner, seat, command)
  if (command !== undefined) return leave(seat, command.room)
  if (fields?.['_room'] !== undefined) return hearRoom(owner, seat, fields, text as string)
  return hearOther(owner, seat, value, text)
}

// ---- joining and leaving ------------------------------------------------------------------------

async function join(owner: IncomingOwner, seat: Seat, command: Join): Promise<void> {
  const { room: name, seq } = command
  const joined = seat.rooms.get(name)
  if (joined !== undefined) return joined.greet(seat)
  const fault = joinFault(owner, seat, name)
  if (fault !== undefined) return refuse(seat, name, fault)
  introduce(seat, command)
  const reason = owner.overrides('on_join') ? await refusal(owner, seat, name) : undefined
  if (reason !== undefined) return refuse(seat, name, reason)
  if (!seat.isHere) return
  const room = owner.roomFor(name)
  if (room === undefined) return refuse(seat, name, 'there are too many rooms')
  try {
    await room.join(seat, seq)
  } catch (error) {
    owner.failed(error)
    refuse(seat, name, 'the room is out of reach')
  }
}

/** Why the settings of the server do not let it in; undefined if they do. */
function joinFault({ values }: IncomingOwner, { rooms }: Seat, name: string): string | undefined {
  const fault = nameFault(name, values.room_name_size)
  if (fault !== undefined || rooms.size < values.rooms_per_member) return fault
  return `a member may be in ${values.rooms_per_member} rooms`
}

/** Takes over the `client` and the `name` of a join. */
function introduce(seat: Seat, { client, name }: Join): void {
  if (client !== undefined && client !== '') seat.client = client.slice(0, LABEL_MAX)
  if (name !== undefined && name !== '') seat.name = name.slice(0, LABEL_MAX)
}

/** Why the program does not let it in; undefined if it does. */
async function refusal(
  owner: IncomingOwner,
  { member }: Seat,
  room: string,
): Promise<string | undefined> {
  try {
    const verdict = await owner.call('on_join', member, room)
    if (typeof verdict === 'string') return verdict
    return verdict === false ? 'not allowed' : undefined
  } catch {
    return FAILED
  }
}

function refuse(seat: Seat, name: string, reason: string): void {
  seat.reply({ status: 'refused', room: name.slice(0, ROOM_NAME_MAX), reason })
}

function leave(seat: Seat, name: string): undefined {
  seat.rooms.get(name)?.leave(seat)
  seat.reply({ status: 'left', room: name })
}

// ---- messages -----------------------------------------------------------------------------------

function hearRoom(
  owner: IncomingOwner,
  seat: Seat,
  fields: Fields,
  text: string,
): Promise<void> | undefined {
  const named = roomOf(fields)
  const fault = whyNot(owner, seat, named)
  if (fault !== undefined) return drop(seat, fault, named)
  const name = named as string
  if (!owner.overrides('on_room_message')) return pass(owner, seat, name, plain(text, fields))
  const { _room, _seq, ...data } = fields
  return settle(
    owner.call('on_room_message', seat.member, name, data),
    answer => {
      if (answer !== false) passValue(owner, seat, name, answer === undefined ? data : answer)
    },
    () => drop(seat, FAILED, name),
  )
}

/** Why a message to that room is not passed on. */
function whyNot(owner: IncomingOwner, seat: Seat, name: string | undefined): string | undefined {
  const fault = nameFault(name, owner.values.room_name_size)
  if (fault !== undefined || seat.rooms.has(name as string)) return fault
  // If every member may join the room, every member may send to it.
  return owner.overrides('on_join') ? 'you are not in the room' : undefined
}

function passValue(owner: IncomingOwner, seat: Seat, name: string, value: unknown): void {
  let text
  try {
    text = encodeFor(name, value)
  } catch (error) {
    owner.failed(new InvalidArgumentError(`on_room_message: ${messageOf(error)}`))
    return drop(seat, FAILED, name)
  }
  pass(owner, seat, name, text)
}

function pass(owner: IncomingOwner, seat: Seat, name: string, text: string): undefined {
  let fault
  try {
    fault = owner.say(name, seat, text)
  } catch (error) {
    // The relay refuses it.
    owner.failed(error)
    fault = FAILED
  }
  if (fault !== undefined) drop(seat, fault, name)
}

function hearOther(
  owner: IncomingOwner,
  seat: Seat,
  value: unknown,
  text: string | Uint8Array,
): Promise<void> | undefined {
  const heard = (answer: unknown): void => {
    if (answer === false) return
    if (typeof text !== 'string') drop(seat, 'bytes that are no text')
    else if (owner.values.echo) seat.answer(echoOf(value, text))
    else if (fieldsOf(value)?.['status'] !== undefined)
      drop(seat, 'status is for the server to say')
    else owner.sayToAll(seat, isOneLine(text) ? text : JSON.stringify(value))
  }
  return settle(owner.call('on_message', seat.member, value), heard, () => drop(seat, FAILED))
}

/** The answer to a message without a room, as the sample server of Metafor has it. */
function echoOf(value: unknown, text: string): string {
  if (value === text) return `Echo: ${text}`
  return `{"echo": ${isOneLine(text) ? text : JSON.stringify(value)}}`
}

/** The text as it was, if that may be passed on. */
function plain(text: string, fields: Fields): string {
  return isOneLine(text) && !Object.hasOwn(fields, '_seq')
    ? text
    : JSON.stringify({ ...fields, _seq: undefined })
}

/** With some transports a line end is the end of the message. */
function isOneLine(text: string): boolean {
  return !text.includes('\n') && !text.includes('\r')
}

function drop(seat: Seat, reason: string, room?: string): undefined {
  seat.reply({ status: 'dropped', ...(room !== undefined && { room }), reason })
}

/**
 * Calls `goOn` with what a hook has returned; or `failed` if it failed, which on_error was told.
 */
function settle(
  result: unknown,
  goOn: (answer: unknown) => void,
  failed: () => void,
): Promise<void> | undefined {
  if (isPromiseLike(result)) return Promise.resolve(result).then(goOn, failed)
  goOn(result)
  return undefined
}
