/**
 * The codec of Redis: replies of any shape, right and wrong, in pieces of any size. What is right
 * is read as it was meant; what is wrong is refused by its named error. The cuts change nothing.
 */

import { isDeepStrictEqual } from 'node:util'
import { RedisError } from '../../src/protocols/redis/errors.ts'
import { Push, type Reply } from '../../src/protocols/redis/reply.ts'
import { Replies } from '../../src/protocols/redis/reply-parser.ts'
import { read } from '../protocols/redis/read.ts'
import { coded, garbage, pick, type Random, type Target } from './target.ts'

/** Bytes, the value they mean, and the pushes that stand inside. */
interface Made {
  readonly bytes: Buffer
  readonly value: Reply
  readonly pushes: Push[]
}

const END = Buffer.from('\r\n')

function line(type: string, text: string, value: Reply): Made {
  return { bytes: Buffer.from(`${type}${text}\r\n`), value, pushes: [] }
}

function scalar(random: Random): Made {
  const number = random(2) === 0 ? random(100) : random(2 ** 31) * 2 ** 21
  switch (random(8)) {
    case 0:
      return line('+', pick(random, ['OK', 'O', '', 'PONG é']), '') as Made
    case 1:
      return line(':', String(-number), -number || 0)
    case 2:
      return line('(', `${number}000000000000000000`, BigInt(number) * 10n ** 18n)
    case 3:
      return line(',', String(number / 8), number / 8)
    case 4:
      return line('#', 't', true)
    case 5:
      return line(pick(random, ['_', '$-1', '*-1']), '', null)
    case 6:
      return line('-', 'WRONGTYPE of it', new RedisError('WRONGTYPE', 'WRONGTYPE of it'))
    default:
      return blob(random)
  }
}

/** Some are long, and collected piece by piece. */
function blob(random: Random): Made {
  const size = random(pick(random, [3, 30, 300, 20_000, 40_000]))
  const text = garbage(random, size).toString()
  const bytes = Buffer.from(text)
  const isVerbatim = random(5) === 0
  const head = isVerbatim ? `=${bytes.length + 4}\r\ntxt:` : `$${bytes.length}\r\n`
  return { bytes: Buffer.concat([Buffer.from(head), bytes, END]), value: text, pushes: [] }
}

function list(random: Random, depth: number): Made {
  const type = pick(random, ['*', '*', '~', '%', '|'])
  const count = random(4) * (type === '%' || type === '|' ? 2 : 1)
  const parts: Buffer[] = []
  const elements: Reply[] = []
  const pushes: Push[] = []
  for (let i = 0; i < count; i++) {
    const made = random(8) === 0 ? push(random, depth - 1) : undefined
    if (made !== undefined) {
      parts.push(made.bytes)
      pushes.push(...made.pushes)
    }
    const element = value(random, depth - 1)
    parts.push(element.bytes)
    pushes.push(...element.pushes)
    elements.push(element.value)
  }
  const announced = type === '%' || type === '|' ? count / 2 : count
  const bytes = Buffer.concat([Buffer.from(`${type}${announced}\r\n`), ...parts])
  if (type !== '|') return { bytes, value: shaped(type, elements), pushes }
  const described = value(random, depth - 1)
  return {
    bytes: Buffer.concat([bytes, described.bytes]),
    value: described.value,
    pushes: [...pushes, ...described.pushes],
  }
}

function shaped(type: string, elements: Reply[]): Reply {
  if (type === '~') return new Set(elements)
  if (type === '*') return elements
  const map = new Map<Reply, Reply>()
  for (let i = 0; i < elements.length; i += 2) map.set(elements[i]!, elements[i + 1]!)
  return map
}

function push(random: Random, depth: number): Made {
  const inner = value(random, depth)
  const bytes = Buffer.concat([Buffer.from('>2\r\n+kind\r\n'), inner.bytes])
  return { bytes, value: null, pushes: [...inner.pushes, new Push(['kind', inner.value])] }
}

function value(random: Random, depth: number): Made {
  const made = depth <= 0 || random(3) > 0 ? scalar(random) : list(random, depth)
  // The text of a simple string is that of its line.
  if (made.value !== '' || made.bytes[0] !== 43) return made
  return { ...made, value: made.bytes.toString('utf8', 1, made.bytes.length - 2) }
}

function cuts(random: Random, size: number): number[] {
  const most = 1 + random(2 ** (1 + random(14)))
  const found: number[] = []
  for (let at = 1 + random(most); at < size; at += 1 + random(most)) found.push(at)
  return found
}

/** Errors are alike if their texts are. */
function shown(values: unknown): unknown {
  if (values instanceof RedisError) return `${values.code} ${values.message}`
  if (values instanceof Push) return ['push', values.kind, shown(values.data)]
  if (values instanceof Map) return ['map', ...[...values].map(shown)]
  if (values instanceof Set) return ['set', ...[...values].map(shown)]
  return Array.isArray(values) ? values.map(shown) : values
}

export const redisReplies: Target = {
  name: 'Redis replies',
  round(random) {
    const all = Array.from({ length: 1 + random(3) }, () => value(random, 4))
    const bytes = Buffer.concat(all.map(each => each.bytes))
    const meant = all.flatMap(each => [...each.pushes, each.value])
    const found = read(bytes, cuts(random, bytes.length))
    return isDeepStrictEqual(shown(found), shown(meant)) ? [] : [bytes.toString('latin1')]
  },
}

/** What is read until it is refused, and the refusal. */
function readWrong(bytes: Buffer, cut: readonly number[], found: unknown[] = []): unknown[] {
  const bounds = { size: 100_000, count: 1000, depth: 8 }
  const refusal = coded(() => read(bytes, cut, new Replies(bounds), found))
  return [...found, typeof refusal === 'string' ? refusal : 'all']
}

/** A few bytes are changed, left out, or put in. */
function spoiled(random: Random, bytes: Buffer): Buffer {
  let result = bytes
  for (let n = random(4); n >= 0; n--) {
    const at = random(result.length + 1)
    const end = Math.min(result.length, at + random(3))
    const put = random(2) === 0 ? garbage(random, random(4)) : Buffer.from(pick(random, WRONG))
    result = Buffer.concat([result.subarray(0, at), put, result.subarray(end)])
  }
  return result
}

// prettier-ignore
const WRONG = [
  '*', '$', '>', '%', '|', '~', '\r', '\n', '\r\n', '-1', '*1000000\r\n', '$536870912\r\n',
  '>0\r\n', '*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n', '99999999999999999999', '+', ':', ',1e', '#x',
  '=3\r\n', '$-2\r\n',
]

export const redisGarbage: Target = {
  name: 'Redis garbage',
  round(random) {
    const all = Array.from({ length: 1 + random(3) }, () => value(random, 3).bytes)
    const bytes = spoiled(random, Buffer.concat(all))
    const [one, other] = [0, 1].map(() => readWrong(bytes, cuts(random, bytes.length)))
    return isDeepStrictEqual(shown(one), shown(other)) ? [] : [bytes.toString('latin1')]
  },
}

/** A command is an array of strings, so what packs it also reads it. */
export const redisCommands: Target = {
  name: 'Redis commands',
  round(random) {
    const words = Array.from({ length: 1 + random(5) }, () => {
      const text = garbage(random, random(pick(random, [3, 30, 150]))).toString()
      return random(3) === 0 ? Buffer.from(text) : text
    })
    const replies = new Replies()
    const bytes = replies.pack(...words)
    const target = Buffer.alloc(bytes.length + random(200))
    const size = replies.pack_into(target, 0, ...words)
    const isSame = size === bytes.length && target.subarray(0, size).equals(bytes)
    const [found] = read(bytes, cuts(random, bytes.length)) as string[][]
    return isSame && isDeepStrictEqual(found, words.map(String)) ? [] : [words.join()]
  },
}
