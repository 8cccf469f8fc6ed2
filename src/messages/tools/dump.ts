/**
 * Layer 8. Messages as text, for people: the parameter `dump`, and `sluice-cat --dump`.
 */

import type { Buffer } from 'node:buffer'
import { formatAddress } from '../../core/address.ts'
import { checkText, instanceOf, oneOf } from '../../core/checks.ts'
import { type Addr, Control, Message, STATES } from '../message.ts'

/** The values of the parameter `dump`. */
export const DUMPS = ['no', 'yes', 'frame', 'text', 'text+hex'] as const

/**
 * What is shown of a message.
 * - 'no': messages are not logged
 * - 'frame': one line, without the data
 * - 'text': this line, and the data as text
 * - 'text+hex', 'yes': this line, and the data as bytes and text side by side
 */
export type Dump = (typeof DUMPS)[number]

/** At most this many bytes of the data are shown. */
const MOST = 1024

/** The bytes in one line of hex. */
const WIDTH = 16

const checkMessage = instanceOf(Message)
const checkDump = oneOf(...DUMPS)

const NAMES = new Map<number, string>(Object.entries(Control).map(([name, id]) => [id, name]))

/**
 * A message as text: a line like `post: data, msgid 10, seq 5, 3 bytes`, and its data below. `what`
 * is the first word: what happens to the message. `peer` says more about its `addr`. Throws
 * InvalidArgumentError.
 */
export function formatMessage(what: string, message: Message, dump: Dump, peer = ''): string {
  checkText('format_message: what', what)
  checkMessage('format_message: message', message)
  checkDump('format_message: dump', dump)
  checkText('format_message: peer', peer)
  const { type, msgid, seq, data, addr } = message
  const name =
    (type === 'control' ? NAMES.get(msgid) : type === 'state' ? STATES[msgid] : undefined) ??
    `msgid ${msgid}`
  const parts = [
    `${what}: ${type}`,
    name,
    seq !== 0n && `seq ${seq}`,
    addr !== undefined && `addr ${formatAddr(addr)}${peer === '' ? '' : ` (${peer})`}`,
    `${data.length} bytes`,
  ]
  const head = parts.filter(part => part !== false).join(', ')
  if (dump === 'frame' || data.length === 0) return head
  const shown = data.subarray(0, MOST)
  const rest = data.length > MOST ? `\n  … and ${data.length - MOST} bytes more` : ''
  return `${head}\n${dump === 'text' ? textLines(shown) : hexLines(shown)}${rest}`
}

function formatAddr(addr: Addr): string {
  return typeof addr === 'number' ? String(addr) : formatAddress(addr)
}

function textLines(data: Buffer): string {
  return printable(data.toString(), /[^\P{C}\n]/gu).replace(/^/gm, '  ')
}

function hexLines(data: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < data.length; at += WIDTH) {
    const bytes = [...data.subarray(at, at + WIDTH)]
    const hex = bytes.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    const text = printable(String.fromCharCode(...bytes), /[^ -~]/g)
    lines.push(`  ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * WIDTH)} ${text}`)
  }
  return lines.join('\n')
}

/** Replaces control characters: a terminal would obey them. */
function printable(text: string, others: RegExp): string {
  return text.replace(others, '.')
}
