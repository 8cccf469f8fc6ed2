/** Groups 1 to 5 and 10: frames, pings, reserved bits and opcodes, fragments. */

import { Buffer } from 'node:buffer'
import {
  BINARY,
  type Case,
  CONTINUATION,
  echoed,
  type Expected,
  fragments,
  frame,
  type Frame,
  PING,
  PONG,
  step,
  TEXT,
} from './case.ts'

const HELLO = frame(TEXT, 'Hello, world!')

/** Bytes that no text has. */
function odd(size: number): Buffer {
  return Buffer.alloc(size, 0xfe)
}

/** All at once, frame by frame, and byte by byte. (Frame by frame is one write for each.) */
const CHOPS = [undefined, 'frames', 1] as const

/** The same frames in one of these ways. */
function sent(
  frames: readonly Frame[],
  get: readonly Expected[],
  chop: (typeof CHOPS)[number],
): Case['steps'] {
  if (chop !== 'frames') return [step(frames, get, chop)]
  return frames.map((each, i) => step([each], i === frames.length - 1 ? get : []))
}

function sizes(): Case[] {
  const all = [0, 125, 126, 127, 128, 65535, 65536]
  return [TEXT, BINARY].flatMap((opcode, group) => {
    const fill = (size: number): Buffer => (opcode === TEXT ? Buffer.alloc(size, '*') : odd(size))
    const steps = all.map(size => echoed(opcode, fill(size)))
    steps.push(echoed(opcode, fill(65536), 997))
    return steps.map((each, i) => ({ id: `1.${group + 1}.${i + 1}`, steps: [each] }))
  })
}

function pings(): Case[] {
  const answered = (payload: string | Uint8Array, chop?: number): Case['steps'] => [
    step([frame(PING, payload)], [frame(PONG, payload)], chop),
  ]
  const ten = Array.from({ length: 10 }, (_, i) => `payload-${i}`)
  const all = [ten.map(each => frame(PING, each)), ten.map(each => frame(PONG, each))] as const
  return [
    { id: '2.1', steps: answered('') },
    { id: '2.2', steps: answered('Hello, world!') },
    { id: '2.3', steps: answered(Buffer.from([0, 255, 254, 253, 252, 251, 0, 255])) },
    { id: '2.4', steps: answered(odd(125)) },
    { id: '2.5', steps: [step([frame(PING, odd(126))])], closes: 1002 },
    { id: '2.6', steps: answered(odd(125), 1) },
    { id: '2.7', steps: [step([frame(PONG)])] },
    { id: '2.8', steps: [step([frame(PONG, 'unsolicited')])] },
    { id: '2.9', steps: [step([frame(PONG, 'unsolicited')]), ...answered('asked')] },
    { id: '2.10', steps: [step(...all)] },
    { id: '2.11', steps: [step(...all, 1)] },
  ]
}

function reserved(): Case[] {
  const ping = frame(PING)
  const wrong = (rsv: number, opcode = TEXT): Frame => frame(opcode, 'Hello, world!', { rsv })
  const closes = 1002
  return [
    { id: '3.1', steps: [step([wrong(1)])], closes },
    { id: '3.2', steps: [step([HELLO, wrong(2), ping], [HELLO])], closes },
    { id: '3.3', steps: [step([HELLO], [HELLO]), step([wrong(3)])], closes },
    { id: '3.4', steps: [step([HELLO, wrong(4), ping], [HELLO], 1)], closes },
    { id: '3.5', steps: [step([wrong(5, BINARY)])], closes },
    { id: '3.6', steps: [step([wrong(6, PING)])], closes },
    { id: '3.7', steps: [step([frame(8, '', { rsv: 7 })])], closes },
  ]
}

function opcodes(): Case[] {
  const group = (id: string, first: number): Case[] =>
    [
      [step([frame(first)])],
      [step([frame(first + 1, 'reserved opcode payload')])],
      [step([HELLO, frame(first + 2), frame(PING)], [HELLO])],
      [step([HELLO, frame(first + 3, 'reserved opcode payload'), frame(PING)], [HELLO])],
      [step([HELLO, frame(first + 4, 'reserved opcode payload'), frame(PING)], [HELLO], 1)],
    ].map((steps, i) => ({ id: `${id}.${i + 1}`, steps, closes: 1002 }))
  return [...group('4.1', 3), ...group('4.2', 11)]
}

function fragmented(): Case[] {
  const two = fragments(TEXT, 'fragment1', 'fragment2')
  const whole = frame(TEXT, 'fragment1fragment2')
  const [first, second] = two as [Frame, Frame]
  const ping = frame(PING, 'ping payload')
  const pong = frame(PONG, 'ping payload')
  const lost = (fin: boolean): Frame => frame(CONTINUATION, 'non-continuation payload', { fin })
  const thrice = (frames: readonly Frame[], get: readonly Expected[], id: number): Case[] =>
    CHOPS.map((chop, i) => ({ id: `5.${id + i}`, steps: sent(frames, get, chop) }))
  const wrong = (fin: boolean, id: number): Case[] =>
    CHOPS.map((chop, i) => ({
      id: `5.${id + i}`,
      // What follows the fault may not be sent any more.
      steps: sent([lost(fin), HELLO], [], chop).slice(0, 1),
      closes: 1002,
    }))
  const piece = (i: number): Frame =>
    frame(i === 1 ? TEXT : CONTINUATION, `fragment${i}`, { fin: i === 5 })
  const pinged = [piece(1), piece(2), frame(PING, 'one'), piece(3), piece(4), frame(PING, 'two')]
  const five = frame(TEXT, 'fragment1fragment2fragment3fragment4fragment5')
  const pongs = [frame(PONG, 'one'), frame(PONG, 'two')]
  const closes = 1002
  return [
    ...[PING, PONG].map((opcode, i) => ({
      id: `5.${i + 1}`,
      steps: [step(fragments(opcode, 'fragment1', 'fragment2'))],
      closes,
    })),
    ...thrice(two, [whole], 3),
    ...thrice([first, ping, second], [pong, whole], 6),
    ...wrong(true, 9),
    ...wrong(false, 12),
    { id: '5.15', steps: [step([...two, lost(false), HELLO], [whole])], closes },
    { id: '5.16', steps: [step([lost(false), HELLO, lost(false), HELLO])], closes },
    { id: '5.17', steps: [step([lost(true), HELLO, lost(true), HELLO])], closes },
    { id: '5.18', steps: [step([first, frame(TEXT, 'fragment2')])], closes },
    { id: '5.19', steps: [step(pinged, pongs), step([piece(5)], [five])] },
    { id: '5.20', steps: sent([...pinged, piece(5)], [...pongs, five], 'frames') },
  ]
}

function automatic(): Case {
  const text = Buffer.alloc(65536, '*')
  const pieces = Array.from({ length: Math.ceil(65536 / 1300) }, (_, i) =>
    text.subarray(i * 1300, (i + 1) * 1300),
  )
  return { id: '10.1.1', steps: [step(fragments(TEXT, ...pieces), [frame(TEXT, text)])] }
}

export const FRAMING: readonly Case[] = [
  ...sizes(),
  ...pings(),
  ...reserved(),
  ...opcodes(),
  ...fragmented(),
  automatic(),
]
