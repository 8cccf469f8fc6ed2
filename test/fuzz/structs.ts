/**
 * Struct, NetStruct and length_prefix: what is packed comes back, cut anywhere; what is garbage is
 * refused by a named error, or cut within what is there.
 */

import type { Cut, Delimiter } from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import { line } from '../core/oracle.ts'
import { coded, garbage, pick, type Random, type Target } from './target.ts'

const INTEGERS: Readonly<Record<string, [least: number, most: number]>> = {
  b: [-128, 127],
  B: [0, 255],
  h: [-32768, 32767],
  H: [0, 65535],
  i: [-(2 ** 31), 2 ** 31 - 1],
  I: [0, 2 ** 32 - 1],
  l: [-(2 ** 31), 2 ** 31 - 1],
  L: [0, 2 ** 32 - 1],
}

function integer(random: Random, code: string): number {
  const [least, most] = INTEGERS[code]!
  return pick(random, [least, most, Math.max(least, 0), Math.min(most, random(2 ** 31))])
}

const bytes = (random: Random, size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, () => random(256)))

/** One item of a format, and values for it as they come back. */
function item(random: Random): [format: string, values: unknown[]] {
  const count = random(4) === 0 ? random(4) : undefined
  const times = count ?? 1
  const many = (value: () => unknown): unknown[] => Array.from({ length: times }, value)
  const text = count === undefined ? '' : String(count)
  switch (random(8)) {
    case 0:
      return [`${text}x`, []]
    case 1:
      return [`${text}s`, [bytes(random, times)]]
    case 2:
      return [`${text}c`, many(() => bytes(random, 1))]
    case 3:
      return [`${text}?`, many(() => random(2) === 1)]
    case 4:
      return [`${text}d`, many(() => (random(2000) - 1000) / 7)]
    case 5:
      return [`${text}q`, many(() => BigInt(random(2 ** 31)) * -(2n ** 31n) - 1n)]
    case 6:
      return [`${text}Q`, many(() => BigInt(random(2 ** 31)) * 2n ** 32n + 5n)]
    default: {
      const code = pick(random, Object.keys(INTEGERS))
      return [text + code, many(() => integer(random, code))]
    }
  }
}

/** A `$` with its length before it. */
function string(random: Random): [format: string, values: unknown[]] {
  const value = bytes(random, random(pick(random, [3, 100])))
  return [`${pick(random, [...'BHhIlqQ'])}$`, [value]]
}

function format(random: Random, isNet: boolean): [format: string, values: unknown[]] {
  const items = Array.from({ length: 1 + random(6) }, () =>
    isNet && random(3) === 0 ? string(random) : item(random),
  )
  const gap = pick(random, ['', '', ' '])
  const mark = pick(random, ['', '!', '<', '>', '='])
  return [mark + items.map(([each]) => each).join(gap), items.flatMap(([, values]) => values)]
}

/** What is wrong with how a delimiter cuts this message, with other bytes after it. */
function cutFaults(random: Random, one: Delimiter, message: Buffer, values: unknown[]): string[] {
  const shown = line(values)
  const all = Buffer.concat([garbage(random, 3), message, garbage(random, random(9))])
  const faults: string[] = []
  for (let size = 1; size <= all.length - 3; size += 1 + random(4)) {
    const cut = one.cut(all, 3, 3 + size) as Cut | number
    if (size < message.length) {
      if (typeof cut !== 'number' || cut <= size || cut > message.length)
        faults.push(`${size} of ${message.length} bytes: ${line([cut])}`)
    } else if (typeof cut === 'number' || cut.size !== message.length)
      faults.push(`all ${message.length} bytes: ${line([cut])}`)
    else if (line(cut.data) !== shown) faults.push(`${line(cut.data)}, wanted ${shown}`)
  }
  return faults
}

export const structs: Target = {
  name: 'Struct, NetStruct',
  round(random) {
    const isNet = random(2) === 0
    const [text, values] = format(random, isNet)
    const one = isNet ? new NetStruct<string>(text) : new Struct<string>(text)
    const message = one.pack(...values)
    const faults = line(one.unpack(message)) === line(values) ? [] : [line(one.unpack(message))]
    if (message.length > 0) faults.push(...cutFaults(random, one as Delimiter, message, values))
    return faults.map(fault => `${text}: ${fault}`)
  },
}

const LETTERS = [...'@=<>!xcbB?hHiIlLqQfdsp$$0123456789 (){}.-'].concat('é', '\0', '\n')

export const formats: Target = {
  name: 'formats of Structs',
  round(random) {
    const text = Array.from({ length: random(9) }, () => pick(random, LETTERS)).join('')
    const data = garbage(random, 1 + random(80))
    const faults: string[] = []
    for (const Format of [Struct, NetStruct]) {
      const cut = coded(() => new Format<string>(text).cut(data, 0, data.length))
      if (typeof cut === 'string' ? cut !== 'ERR_STRUCT' : !isValid(cut, data.length))
        faults.push(`${Format.name} ${JSON.stringify(text)}: ${line([cut])}`)
    }
    return faults
  },
}

function isValid(cut: Cut | number, available: number): boolean {
  if (typeof cut === 'number') return cut > available && Number.isSafeInteger(cut)
  return cut.size >= 1 && cut.size <= available
}

export const prefixes: Target = {
  name: 'length_prefix',
  round(random) {
    const size = pick(random, [1, 2, 4, 6, 8, 'varint', 'ber', 'decimal', 'hex'] as const)
    const adjust = pick(random, [0, 0, 1, 7, -1, -4, -20])
    const offset = random(4)
    const one = length_prefix({
      size,
      ...(typeof size === 'number' && { endian: pick(random, ['big', 'little']) }),
      offset,
      ...(random(2) === 0 ? { markers: offset === 0 } : { after: random(3) }),
      counts_itself: random(3) === 0,
      trailer: pick(random, ['', ';', '\r\n']),
      adjust,
    })
    const payload = bytes(random, random(300))
    const frame = coded(() => one.pack(payload))
    const stated = payload.length - adjust
    if (typeof frame === 'string')
      return frame === 'ERR_STRUCT' && (stated < 0 || (size === 1 && stated > 254))
        ? []
        : [`${frame} for ${stated} in ${size}`]
    const target = Buffer.alloc(frame.length + 4, 1)
    const written = one.pack_into(target, 2, payload)
    const faults = cutFaults(random, one, frame, [payload])
    if (written !== frame.length || !target.subarray(2, 2 + written).equals(frame))
      faults.push(`pack_into writes ${line([target])}, pack ${line([frame])}`)
    const data = garbage(random, 1 + random(40))
    const cut = coded(() => one.cut(data, 0, data.length))
    if (typeof cut === 'string' ? cut !== 'ERR_INVALID_DELIMITER' : !isValid(cut, data.length))
      faults.push(`garbage: ${line([cut])}`)
    return faults
  },
}
