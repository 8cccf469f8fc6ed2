/** Group 7: the handshake of closing. */

import { Buffer } from 'node:buffer'
import {
  type Case,
  CLOSE,
  CONTINUATION,
  echoed,
  frame,
  type Frame,
  PING,
  step,
  TEXT,
} from './case.ts'

function close(code?: number, reason: string | Uint8Array = ''): Frame {
  if (code === undefined) return frame(CLOSE)
  return frame(
    CLOSE,
    Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]),
  )
}

const NORMAL = close(1000)
const HELLO = frame(TEXT, 'Hello World!')

/** Sends these and is answered with that code. */
function closed(id: string, code: number, ...frames: Frame[]): Case {
  return { id, steps: [step(frames)], closes: code }
}

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]

export const CLOSING: readonly Case[] = [
  { id: '7.1.1', steps: [echoed(TEXT, 'Hello World!')] },
  closed('7.1.2', 1000, NORMAL, NORMAL),
  closed('7.1.3', 1000, NORMAL, frame(PING)),
  closed('7.1.4', 1000, NORMAL, HELLO),
  closed(
    '7.1.5',
    1000,
    frame(TEXT, 'fragment1', { fin: false }),
    NORMAL,
    frame(CONTINUATION, 'fragment2'),
  ),
  {
    id: '7.1.6',
    steps: [
      echoed(TEXT, Buffer.alloc(256 * 1024, '*')),
      step([HELLO, NORMAL, frame(PING)], [HELLO]),
    ],
    closes: 1000,
  },
  closed('7.3.1', 1005, close()),
  closed('7.3.2', 1002, frame(CLOSE, 'a')),
  closed('7.3.3', 1000, NORMAL),
  closed('7.3.4', 1000, close(1000, 'Hello World!')),
  closed('7.3.5', 1000, close(1000, '*'.repeat(123))),
  closed('7.3.6', 1002, close(1000, '*'.repeat(124))),
  closed(
    '7.5.1',
    1007,
    close(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')),
  ),
  ...VALID.map((code, i) => closed(`7.7.${i + 1}`, code, close(code))),
  ...INVALID.map((code, i) => closed(`7.9.${i + 1}`, 1002, close(code))),
]
