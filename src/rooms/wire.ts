/**
 * Layer 9. The wire protocol of rooms: what a client and a server say to each other, as JSON, one
 * message each. It is the same over every transport, and any language can speak it. Fields in
 * [brackets] are optional: a peer without history or presence leaves them out, and ignores them.
 *
 * | from a client | what it says |
 * |---|---|
 * | `{"type":"_join","room":R [,"seq":n] [,"client":C] [,"name":N]}` | it joins the room R |
 * | `{"type":"_leave","room":R}` | it leaves |
 * | `{…, "_room":R}` | a message to all others in R |
 * | any other JSON, text or bytes | a message to the server itself |
 *
 * | from a server | what it says |
 * |---|---|
 * | `{…, "_room":R [,"_seq":n]}` | a message of the room, and its number where there is history |
 * | `{"status":"joined","room":R [,"seq":n] [,"client":C]}` | it has joined, and has all up to n |
 * | `{"status":"left","room":R}` | it has left |
 * | `{"status":"refused","room":R,"reason":…}` | it may not join, or may not stay |
 * | `{"status":"gap","room":R,"from":a,"to":b}` | the messages a to b are lost for good |
 * | `{"status":"seen","room":R,"seq":n}` | nothing up to n is left to be sent to it |
 * | `{"status":"presence","room":R,"came":[…],"went":[…]}` | who has come, and who has gone |
 * | `{"status":"closing","code":n,"reason":…}` | why it closes now; for transports without codes |
 * | `{"status":"dropped" [,"room":R],"reason":…}` | a message of it was not passed on |
 * | any other JSON, text or bytes | a message of the server itself |
 *
 * Rules:
 * 1. `_room` wins over `room`: a message with `_room` is a message of that room, never a reply. A
 *    server passes on no message without `_room` that has a `status`: it would be a reply.
 * 2. `seq` of a join: the last number that the client has seen. The server then sends, in this
 *    order: a gap, if something after it is gone; what the client has missed, without what it has
 *    sent itself; `joined`; what happens from now on. Without `seq` the client begins at the `seq`
 *    of `joined`. `seq` 0 asks for all that there is, and leads to no gap.
 *    `client` is how the server knows after a reconnect what a client has sent itself: a random
 *    name that it gave to the client with `joined`. The first join has none.
 * 3. The numbers of a room only grow, also across a restart of the server: one that has forgotten
 *    them goes on with a larger number, such as the microseconds since 1970. They need not be
 *    consecutive for a client: it gets no number for what it sends itself.
 * 4. After each `joined`, presence begins with the names of all who are there, as `came`. The names
 *    are the `name` of each join, or what the server made up.
 * 5. The name of a room has at most 900 UTF-16 units, and each server may set less. A join that is
 *    too long for a message would end each new connection, as it is sent again.
 * 6. Text and bytes are told apart by WebSocket. Other transports only carry bytes: what is valid
 *    UTF-8 is text there.
 */

/** The longest name of a room, in UTF-16 units. */
export const ROOM_NAME_MAX = 900

/** A message or reply as JSON has it: an object that is not an array. */
export type Fields = Record<string, unknown>

/** What a client may say about rooms, besides messages. */
export type Command = Join | { readonly type: '_leave'; readonly room: string }

export interface Join {
  readonly type: '_join'
  readonly room: string
  readonly seq?: number
  readonly client?: string
  readonly name?: string
}

/** What a server may say about rooms, besides messages. */
export type Reply =
  | {
      readonly status: 'joined'
      readonly room: string
      readonly seq?: number
      readonly client?: string
    }
  | { readonly status: 'left'; readonly room: string }
  | { readonly status: 'refused'; readonly room: string; readonly reason: string }
  | { readonly status: 'gap'; readonly room: string; readonly from: number; readonly to: number }
  | { readonly status: 'seen'; readonly room: string; readonly seq: number }
  | {
      readonly status: 'presence'
      readonly room: string
      readonly came: readonly string[]
      readonly went: readonly string[]
    }
  | { readonly status: 'dropped'; readonly room?: string; readonly reason: string }
  | { readonly status: 'closing'; readonly code: number; readonly reason: string }

// ---- out ----------------------------------------------------------------------------------------

/**
 * What is sent for a message without a room: bytes and text as they are, objects and arrays as
 * JSON, anything else as text. Throws TypeError for what has no such form.
 */
export function encode(message: unknown): string | Uint8Array {
  if (typeof message === 'string') return message
  const bytes = bytesOf(message)
  if (bytes !== undefined) return bytes
  return typeof message === 'object' && message !== null ? toJson(message) : toText(message)
}

/**
 * What is sent for a message to a room: the fields of an object, or of text that is one in JSON,
 * with `_room`; other text as `message`, any other value as `data`. Throws TypeError for what has
 * no such form; bytes have none.
 */
export function encodeFor(room: string, message: unknown): string {
  if (bytesOf(message) !== undefined)
    throw new TypeError('bytes cannot be sent to a room; send text')
  if (typeof message === 'string') {
    const fields = fieldsOf(decode(message))
    return JSON.stringify({ ...(fields ?? { message }), _room: room })
  }
  if (typeof message !== 'object') toText(message)
  else if (message !== null) checkFields(message)
  // What toJSON returns need not be an object.
  const value = hasToJson(message) ? decode(toJson(message)) : message
  const data = typeof value === 'bigint' ? String(value) : value
  return JSON.stringify({ ...(fieldsOf(value) ?? { data }), _room: room })
}

function hasToJson(value: unknown): value is object {
  return typeof (value as { toJSON?: unknown } | null)?.toJSON === 'function'
}

/** A Map, a Set or a Promise would be sent as {}. */
function checkFields(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (isPlain || Array.isArray(value) || hasToJson(value) || Object.keys(value).length > 0) return
  const { name = '' } = ((value as object).constructor as { name?: string } | undefined) ?? {}
  throw new TypeError(`a ${name || 'value'} without fields has no JSON`)
}

function toJson(value: object): string {
  checkFields(value)
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) throw new TypeError('toJSON() of the message returns nothing')
  return json
}

function toText(value: unknown): string {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`${typeof value} has no JSON`)
  return String(value)
}

/** The bytes of what is made of bytes; undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined
}

// ---- in -----------------------------------------------------------------------------------------

/** What a message says: the value of JSON, or else the text or the bytes as they are. */
export function decode(data: string | Uint8Array): unknown {
  if (typeof data !== 'string') return data
  try {
    return JSON.parse(data) as unknown
  } catch {
    return data
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text if it is UTF-8, or else the bytes: for transports that do not tell them apart. */
export function textOrBytes(data: Uint8Array): string | Uint8Array {
  try {
    return UTF8.decode(data)
  } catch {
    return data
  }
}

/** The fields of an object that came as JSON; undefined for any other value. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !bytesOf(value)
    ? (value as Fields)
    : undefined
}

/** The room that a message belongs to; undefined if it has none. An empty name is no room. */
export function roomOf({ _room }: Fields): string | undefined {
  return typeof _room === 'string' && _room !== '' ? _room : undefined
}

/** Is it the number of a message? */
export function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/**
 * The command that the fields are; undefined if they are a message. Its room is '' if that is not
 * text, which a server refuses. An optional field of the wrong type is left out.
 */
export function commandOf({ type, room, seq, client, name, _room }: Fields): Command | undefined {
  if ((type !== '_join' && type !== '_leave') || _room !== undefined) return undefined
  return {
    type,
    room: typeof room === 'string' ? room : '',
    ...(isSeq(seq) && { seq }),
    ...(typeof client === 'string' && { client }),
    ...(typeof name === 'string' && { name }),
  }
}

/**
 * The reply that the fields are; undefined if they are a message. What a reply must have is there
 * then, and of the right type.
 */
export function replyOf(fields: Fields): Reply | undefined {
  const { status, room, _room } = fields
  if (_room !== undefined) return undefined
  const check = typeof status === 'string' && Object.hasOwn(CHECKS, status) && CHECKS[status]
  const isWhole = typeof room === 'string' || status === 'closing' || status === 'dropped'
  return check && isWhole && check(fields) ? (fields as unknown as Reply) : undefined
}

/** What each reply must have, besides the room. */
const CHECKS: Readonly<Record<string, (fields: Fields) => boolean>> = {
  joined: ({ seq, client }) =>
    (seq === undefined || isSeq(seq)) && (client === undefined || typeof client === 'string'),
  left: () => true,
  refused: () => true,
  gap: ({ from, to }) => isSeq(from) && isSeq(to),
  seen: ({ seq }) => isSeq(seq),
  presence: ({ came, went }) => isNames(came) && isNames(went),
  dropped: ({ room }) => room === undefined || typeof room === 'string',
  closing: ({ code }) => isSeq(code),
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every(name => typeof name === 'string')
}
