/** Groups 9, 12 and 13: large messages, many messages, compressed messages. */

import { Buffer } from 'node:buffer'
import { seeded } from '../core/oracle.ts'
import {
  BINARY,
  type Case,
  echoed,
  fragments,
  frame,
  step,
  type Terms,
  TEXT,
  type Traffic,
} from './case.ts'

const KIB = 1024
const MIB = 1024 * KIB

const OPCODES = [TEXT, BINARY]

function filled(opcode: number, size: number): Buffer {
  return Buffer.alloc(size, opcode === TEXT ? '*' : 0xfe)
}

/** Group 9: the limits. */
function large(): Case[] {
  return OPCODES.flatMap((opcode, i) =>
    [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].map((size, n) => ({
      id: `9.${i + 1}.${n + 1}`,
      steps: [echoed(opcode, filled(opcode, size))],
    })),
  )
}

function inPieces(): Case[] {
  const all = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB]
  return OPCODES.flatMap((opcode, i) =>
    all.map((size, n) => {
      const bytes = filled(opcode, 4 * MIB)
      const pieces = Array.from({ length: bytes.length / size }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      const send = fragments(opcode, ...pieces)
      return { id: `9.${i + 3}.${n + 1}`, steps: [step(send, [frame(opcode, bytes)])] }
    }),
  )
}

function chopped(): Case[] {
  return OPCODES.flatMap((opcode, i) =>
    [64, 128, 256, 512, 1024, 2048].map((chop, n) => ({
      id: `9.${i + 5}.${n + 1}`,
      steps: [echoed(opcode, filled(opcode, MIB), chop)],
    })),
  )
}

function many(count: number): Case[] {
  return OPCODES.flatMap((opcode, i) =>
    [0, 16, 64, 256, 1024, 4096].map((size, n) => {
      const message = { opcode, payload: filled(opcode, size) }
      return { id: `9.${i + 7}.${n + 1}`, steps: [], traffic: { count, message: () => message } }
    }),
  )
}

// ---- compression --------------------------------------------------------------------------------

/** What is compressed: five kinds of data, of 128 KiB. */
const DATA: readonly [opcode: number, bytes: () => Buffer][] = [
  [TEXT, () => Buffer.from(JSON.stringify(Array.from({ length: 4000 }, (_, id) => record(id))))],
  [BINARY, () => Buffer.from(Array.from({ length: 128 * KIB }, (_, i) => (i >> 9) ^ (i & 511)))],
  [TEXT, () => Buffer.from(words())],
  [TEXT, () => Buffer.from('<li class="item"><a href="/a/b">äöü</a></li>\n'.repeat(4000))],
  [BINARY, () => noise()],
]

function record(id: number): object {
  return { id, name: `name ${id % 97}`, tags: ['ä', 'b', 'c'].slice(id % 3), is_open: id % 2 === 0 }
}

function words(): string {
  const random = seeded(12)
  const all = 'Habe nun ach Philosophie Juristerei und Medizin durchaus studiert mit heißem Bemühn'
  const list = all.split(' ')
  return Array.from({ length: 25_000 }, () => list[random(list.length)]).join(' ')
}

function noise(): Buffer {
  const random = seeded(13)
  return Buffer.from(Array.from({ length: 128 * KIB }, () => random(256)))
}

/** The sizes of the messages; and with which longest fragment they come again. */
const SIZES = [16, 64, 256, 1, 4, 8, 16, 32, 64, 128].map((size, i) => (i < 3 ? size : size * KIB))
const PIECES: readonly [size: number, fragment: number][] = [
  [8 * KIB, 256],
  [16 * KIB, 256],
  [32 * KIB, 256],
  [64 * KIB, 256],
  [128 * KIB, 256],
  [128 * KIB, KIB],
  [128 * KIB, 4 * KIB],
  [128 * KIB, 32 * KIB],
]

/** Messages of that size, from one place of the data after the other. */
function slices(opcode: number, bytes: Buffer, size: number, count: number): Traffic {
  return {
    count,
    message(index) {
      const from = (index * size) % Math.max(1, bytes.length - size)
      const slice = bytes.subarray(from, from + size)
      // A character may be cut.
      const payload = opcode === TEXT ? Buffer.from(slice.toString()) : slice
      return { opcode, payload }
    },
  }
}

function compressed(
  group: string,
  opcode: number,
  bytes: Buffer,
  deflate: readonly Terms[],
  count: number,
): Case[] {
  const all = [...SIZES.map(size => [size, 0] as const), ...PIECES]
  return all.map(([size, fragment], i) => ({
    id: `${group}.${i + 1}`,
    steps: [],
    deflate,
    traffic: {
      ...slices(opcode, bytes, size, count),
      ...(fragment > 0 && { fragment }),
    },
  }))
}

const PLAIN: Terms = { isForgetful: false, bits: 0 }
const TERMS: readonly (readonly Terms[])[] = [
  [PLAIN],
  [{ isForgetful: true, bits: 0 }],
  [{ isForgetful: false, bits: 9 }],
  [{ isForgetful: false, bits: 15 }],
  [{ isForgetful: true, bits: 9 }],
  [{ isForgetful: true, bits: 15 }],
  [{ isForgetful: true, bits: 9 }, { isForgetful: true, bits: 0 }, PLAIN],
]

/** `count`: how many messages there are where the suite has a thousand. */
export function traffic(count: number): readonly Case[] {
  const data = DATA.map(([opcode, bytes]) => [opcode, bytes()] as const)
  const [text, json] = data[0] as [number, Buffer]
  return [
    ...large(),
    ...inPieces(),
    ...chopped(),
    ...many(count),
    ...data.flatMap(([opcode, bytes], i) =>
      compressed(`12.${i + 1}`, opcode, bytes, [PLAIN], count),
    ),
    ...TERMS.flatMap((terms, i) => compressed(`13.${i + 1}`, text, json, terms, count)),
  ]
}
