/**
 * Delimiters of every kind, changed at any message, encodings and limits likewise: the reads and
 * the reports are the same for every cutting, and those of constant rules are the oracle's.
 */

import type { Delimiter, ReadDelimiter } from '../../src/core/delimiters.ts'
import { dot_block } from '../../src/core/dot-block.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { ReadPath } from '../../src/core/read-path.ts'
import { readSettings } from '../../src/core/reading/read-settings.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import { difference, ENCODINGS, line, oracleAll, type Rules, streamOf } from '../core/oracle.ts'
import { PIECES, readAll } from '../core/reading/reader-kit.ts'
import { coded, cutAtRandom, garbage, pick, type Random, type Target } from './target.ts'

/** Two digits are the length. What are no digits is an error. */
const decimal: Delimiter<[Buffer]> = {
  text: true,
  needs: 2,
  cut(bytes, start, end) {
    if (end - start < 2) return 2
    const digits = bytes.toString('latin1', start, start + 2)
    if (!/^\d\d$/.test(digits)) throw Object.assign(new Error('no length'), { code: 'OWN' })
    const size = 2 + Number(digits)
    return end - start < size ? size : { size, data: [bytes.subarray(start + 2, start + size)] }
  },
}

/**
 * A delimiter whose reads do not depend on chunks. (Those of null do, and so do those of a RegExp
 * like /\n+/.)
 */
function delimiter(random: Random): ReadDelimiter {
  const text = (): string =>
    Array.from({ length: 1 + random(3) }, () =>
      pick(random, ['a', 'b', '\r', '\n', 'é', '€', '\0']),
    ).join('')
  switch (random(9)) {
    case 0:
      return text()
    case 1:
      return Buffer.from(
        Array.from({ length: 1 + random(3) }, () => pick(random, [0, 10, 97, 255])),
      )
    case 2:
      return 1 + random(pick(random, [3, 100, 2000]))
    case 3:
      return pick(random, [
        /\r?\n/,
        /[;,]/,
        /\d{3}/,
        /a{2}b/,
        /\xff|\x80/,
        /(?<=a)b/,
        /^.*?\n/s,
        /a*b/,
        /[ab]*?(?:\n|;)/,
      ])
    case 4:
      return pick(random, [new Struct('!H2s'), new Struct('<bxq'), new Struct('3s?c')])
    case 5:
      return pick(random, [new NetStruct('H$'), new NetStruct('B$b$2s'), new NetStruct('<bxH$')])
    case 6:
      return framing(random)
    case 7:
      return dot_block
    default:
      return decimal
  }
}

function framing(random: Random): ReadDelimiter {
  const size = pick(random, [1, 2, 4, 7, 8, 'varint', 'ber', 'decimal', 'hex'] as const)
  const isDigits = size === 'decimal' || size === 'hex'
  const offset = random(3)
  return length_prefix({
    size,
    offset,
    adjust: pick(random, [0, 0, 1, -1, -5, 40]),
    header: random(2) === 0,
    counts_itself: random(3) === 0,
    trailer: pick(random, ['', '', '\n']),
    ...(random(2) === 0 ? { after: random(3) } : { markers: offset === 0 }),
    ...(offset > 0 && random(3) === 0 && { padding: 0 }),
    ...(typeof size === 'number' && { endian: pick(random, ['big', 'little'] as const) }),
    ...(isDigits && pick(random, [{ digits: 2 }, { until: 'x' }, { until: '\r\n' }, {}])),
  })
}

function rules(random: Random): Rules {
  return {
    delimiter: delimiter(random),
    encoding: pick(random, ENCODINGS),
    limit: pick(random, [1, 4, 20, 300, 65536]),
  }
}

function bytesFor(random: Random): Buffer {
  const size = pick(random, [10, 100, 1000, 5000])
  return random(2) === 0 ? garbage(random, size) : streamOf(random, size, PIECES)
}

/** With the same rules all the time: as the oracle has it. */
export const constant: Target = {
  name: 'delimiters',
  round(random) {
    const each = rules(random)
    const stream = bytesFor(random)
    const wanted = coded(() => oracleAll(stream, each))
    const got = coded(() => readAll(each, cutAtRandom(random, stream)))
    const found =
      typeof wanted === 'string' || typeof got === 'string'
        ? wanted === got || `${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`
        : difference(got, wanted) || true
    return found === true ? [] : [`${String(each.delimiter)} ${each.encoding}: ${found}`]
  },
}

/** What is reported, with other rules after some reports; the n-th rules are always the same. */
function reports(plan: readonly (Rules | undefined)[], pieces: readonly Buffer[]): string[] {
  const log: string[] = []
  const [first] = plan as [Rules]
  const report = (...event: unknown[]): void => {
    log.push(line(event))
    const next = plan[log.length]
    // After a fault a count, which mends it.
    if (event[0] !== 'read') use({ ...first, delimiter: 1 + (log.length % 40) })
    else if (next !== undefined) use(next)
  }
  const use = ({ delimiter, encoding, limit }: Rules): void => {
    path.use(delimiter, readSettings(encoding, true), limit)
    path.assigned()
  }
  const owner = {
    on_read: (...data: unknown[]) => report('read', ...data),
    hookReturned() {},
    hookFailed: (error: unknown) => report('failed', String(error)),
    overflowed: (limit: number) => report('overflow', limit),
    broken: (error: unknown) => report('broken', (error as { code?: string }).code),
    delivered: () => log.push('ended'),
    pause() {},
    resume() {},
  }
  const settings = readSettings(first.encoding, true)
  const path: ReadPath = new ReadPath(owner, owner, first.delimiter, settings, first.limit)
  for (const piece of pieces) path.receive(piece)
  path.receiveEnd()
  return log
}

/** A count of 0 is an empty read, and then nothing until the rules change. */
const rulesOrNone = (random: Random): Rules =>
  random(8) === 0 ? { ...rules(random), delimiter: 0 } : rules(random)

/** With rules that change: the same for two cuttings. */
export const changing: Target = {
  name: 'changing delimiters',
  round(random) {
    const plan = [rules(random)].concat(
      Array.from(
        { length: 60 },
        () => (random(3) === 0 ? rulesOrNone(random) : undefined) as Rules,
      ),
    )
    const stream = bytesFor(random)
    const [one, other] = [0, 1].map(() => reports(plan, cutAtRandom(random, stream)))
    const at = one!.findIndex((each, i) => each !== other![i])
    return at === -1 && one!.length === other!.length
      ? []
      : [`report ${at}: ${one![at]} or ${other![at]} (${one!.length}, ${other!.length})`]
  },
}
