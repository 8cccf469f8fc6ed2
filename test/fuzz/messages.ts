/**
 * What message channels read: their URLs and values, their frames, and what `deflate+` gets. What
 * is valid comes back as it was given, cut anywhere; what is not is refused by a named error.
 */

import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { FRAMES, PACKET_FRAMES } from '../../src/messages/carriers/frames.ts'
import { Context } from '../../src/messages/context.ts'
import { Message } from '../../src/messages/message.ts'
import type { Prefix } from '../../src/messages/prefixes/prefix.ts'
import { embedded, parseParameters, Url } from '../../src/messages/url.ts'
import * as values from '../../src/messages/values.ts'
import { readAll } from '../core/reading/reader-kit.ts'
import { channelClass } from '../messages/kit.ts'
import { coded, cutAtRandom, garbage, pick, type Random, type Target } from './target.ts'

// ---- URLs ---------------------------------------------------------------------------------------

const LETTERS = [...'ab.:/;;==+-_05 '].concat('\0', 'é', '://', 'proto', 'host', 'x.url=null://')

const letters = (random: Random): string =>
  Array.from({ length: random(12) }, () => pick(random, LETTERS)).join('')

// prettier-ignore
const KEYS = [
  'mode', 'frame', 'size', 'speed', 'rate.dir', 'max-window', 'interval', 'timeout-min', 'stat',
  'timeout-open', 'messages', 'level', 'max-size', 'inverted', 'name', 'master', 'tls', 'dump',
  'bucket.x.speed', 'autoseq', 'no-such-key', 'mem.size', 'io', 'peer', 'count', 'ca', 'cert',
]

// prettier-ignore
const VALUES = [
  'client', 'server', 'line', 'std', 'none', 'bson', '1kb', '0b', '1gb', '5ms', '0s', '10', '-1',
  '0x', '0xff', 'yes', 'no', 'maybe', '!1', '1,2', '', 'null://', 'rw', '99999999999999999999b',
]

/** A URL of protocols, keys and values that exist, most of which do not fit together. */
function url(random: Random, protocols: readonly string[]): string {
  const prefixes = protocols.filter(each => each.endsWith('+'))
  const carriers = protocols.filter(each => !each.endsWith('+'))
  const chain = Array.from({ length: random(3) }, () => pick(random, prefixes)).join('')
  const host = pick(random, ['', '', 'x', 'localhost:0', '127.0.0.1:65536', '[::1]:5', '/a/b', ':'])
  const parameters = Array.from({ length: random(5) }, () => {
    const value = random(4) === 0 ? letters(random) : pick(random, VALUES)
    return `;${pick(random, KEYS)}=${value}`
  }).join('')
  return `${chain}${pick(random, carriers)}://${host}${parameters}`
}

const makeEngine = (): Engine =>
  new Engine({ network: new MemoryNetwork(), clock: new ManualClock(), log: () => {} })

const parts = ({ protocol, host, entries }: Url): string =>
  JSON.stringify([protocol, host, [...entries].map(([key, { value }]) => [key, value])])

export const urls: Target = {
  name: 'URLs of message channels',
  round(random) {
    const text = random(2) === 0 ? letters(random) : url(random, ['tcp', 'rate+'])
    const shown = JSON.stringify(text)
    const parsed = coded(() => Url.parse(text))
    const given = coded(() => parseParameters(text))
    const inner = coded(() => typeof given === 'string' || embedded(given, 'x'))
    const faults = [parsed, given, inner]
      .filter(each => typeof each === 'string' && each !== 'ERR_INVALID_URL')
      .map(each => `${shown}: ${String(each)}`)
    if (typeof parsed === 'string') return faults
    const again = parts(Url.parse(parsed.toString()))
    return again === parts(parsed) ? faults : [...faults, `${shown}: ${again}`]
  },
}

export const inits: Target = {
  name: 'channels of URLs',
  round(random) {
    const engine = makeEngine()
    const context = new Context({ engine })
    const text = url(random, context.protocols)
    const made = coded(() => context.init(text))
    if (typeof made !== 'string') made.destroy()
    else if (!made.startsWith('ERR_')) return [`${JSON.stringify(text)}: ${made}`]
    return engine.channels.size === 0 ? [] : [`${JSON.stringify(text)}: a channel is left`]
  },
}

export const units: Target = {
  name: 'values of URLs',
  round(random) {
    const unit = pick(random, ['', 'b', 'kb', 'gbit', 'ns', 'ms', 'd', 'parsec', '__proto__'])
    const text = pick(random, [
      letters(random),
      `${pick(random, ['', '-', '0x', '1.'])}${random(2 ** 31)}${'0'.repeat(random(25))}${unit}`,
    ])
    const faults: string[] = []
    for (const parse of [values.parseInteger, values.parseSize, values.parseDuration]) {
      const value = parse(text)
      if (value !== undefined && !Number.isFinite(value)) faults.push(`${text}: ${value}`)
    }
    const seq = values.parseSeq(text)
    if (seq !== undefined && BigInt(text) !== seq && !text.startsWith('-0x'))
      faults.push(`${text}: ${seq}`)
    values.parseBoolean(text)
    return faults
  },
}

// ---- frames -------------------------------------------------------------------------------------

const shown = (messages: readonly Message[]): string =>
  messages.map(({ msgid, seq, data }) => `${msgid} ${seq} ${data.toString('hex')}`).join(', ')

/** A message that the frame may or may not carry. */
function message(random: Random): Message {
  const data = garbage(random, random(pick(random, [3, 40, 300])))
  // As a BSON document has it.
  if (random(3) === 0 && data.length >= 4) data.writeUInt32LE(data.length)
  const number = pick(random, [0, 1, -1, 32767, -32768, 2 ** 31 - 1, -(2 ** 31)])
  return new Message({ data, msgid: number, seq: pick(random, [0n, 7n, -1n, 2n ** 40n]) })
}

export const frames: Target = {
  name: 'frames',
  round(random) {
    const [name, frame] = pick(random, [...FRAMES])
    const { msgid, seq } = frame.carries
    const sent: Message[] = []
    const bytes: Buffer[] = []
    for (let n = random(6); n > 0; n--) {
      const one = message(random)
      const head = coded(() => frame.head(one))
      if (head === 'ERR_INVALID_ARGUMENT') continue
      bytes.push(Buffer.from((head ?? '') as Buffer), one.data, Buffer.from(frame.tail))
      sent.push(new Message({ data: one.data, ...(msgid && one), ...(seq && { seq: one.seq }) }))
    }
    const rules = { delimiter: frame.delimiter, encoding: null, limit: 65536 } as const
    const read = (stream: Buffer): Message[] =>
      readAll(rules, cutAtRandom(random, stream))
        .filter(([first]) => first !== 'too long')
        .map(each => frame.unpack(each))
    const faults: string[] = []
    const got = read(Buffer.concat(bytes))
    // Without a frame there are no messages, only bytes.
    const isRight =
      name === 'none'
        ? Buffer.concat(got.map(({ data }) => data)).equals(Buffer.concat(bytes))
        : shown(got) === shown(sent)
    if (!isRight) faults.push(`${name}: ${shown(got)}, wanted ${shown(sent)}`)
    const rubbish = garbage(random, random(200))
    const code = coded(() => (read(rubbish), true))
    // A document that is smaller than its own size.
    if (code !== true && (name !== 'bson' || code !== 'ERR_FRAME'))
      faults.push(`${name}, ${rubbish.toString('hex')}: ${code}`)
    if (PACKET_FRAMES.has(name) && frame.unpackPacket(rubbish)?.data.length === undefined)
      if (rubbish.length >= frame.overhead) faults.push(`${name}: no message of a packet`)
    return faults
  },
}

// ---- prefixes -----------------------------------------------------------------------------------

/** The largest data, uncompressed. */
const MOST = 1000

export const deflated: Target = {
  name: 'deflate+',
  round(random) {
    const context = new Context({ engine: makeEngine() })
    const posted: Message[] = []
    context.register(channelClass('x', { do_post: (one: Message) => void posted.push(one) }))
    const channel = context.init(`deflate+x://;max-size=${MOST}b`) as Prefix
    const faults: string[] = []
    const got: Buffer[] = []
    channel.callback_add(({ data }) => void got.push(data), 'data')
    channel.on_error = error => {
      if (!('code' in error)) faults.push(String(error.stack))
    }
    channel.open()
    const data = garbage(random, random(2 * MOST))
    const code = coded(() => channel.post({ data }))
    if (typeof code === 'string') {
      if (data.length <= MOST) faults.push(`${data.length} bytes are refused: ${code}`)
    } else {
      const [one] = posted as [Message]
      void channel.child.emit(new Message({ data: one.data }))
      if (got.length !== 1 || !got[0]!.equals(data)) faults.push(`${data.toString('hex')} is lost`)
      const broken = Buffer.from(one.data)
      broken[random(broken.length)] = random(256)
      void channel.child.emit(new Message({ data: broken.subarray(0, 1 + random(broken.length)) }))
    }
    if (channel.state === 'active') void channel.child.emit(message(random))
    if (got.some(({ length }) => length > MOST)) faults.push('more than max-size is received')
    channel.close(true)
    channel.destroy()
    return faults
  },
}
