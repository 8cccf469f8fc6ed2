/**
 * Layer 8. Messages as text, for people: `dump=` of a URL, and `sluice-cat --dump`.
 */

import { type Addr, Control, type Message, STATES } from '../message.ts'
import { formatAddress } from '../../core/address.ts'

/**
 * 'frame': one line without the data; 'text': the data as text below it; 'text+hex': as bytes and
 * text side by side. 'yes' is 'text+hex'.
 */
export const DUMPS = ['no', 'yes', 'frame', 'text', 'text+hex'] as const
export type Dump = (typeof DUMPS)[number]

/** So many bytes of the data are shown. */
const MOST = 1024
const WIDTH = 16

const NAMES = new Map<number, string>(Object.entries(Control).map(([name, id]) => [id, name]))

/**
 * A message as text: `Post: data, msgid 10, seq 5, 3 bytes`, and below it what it carries. `what`
 * says what became of it.
 */
export function formatMessage(what: string, message: Message, dump: Dump): string {
  const { type, msgid, seq, data, addr } = message
  const name =
    (type === 'control' ? NAMES.get(msgid) : type === 'state' ? STATES[msgid] : undefined) ??
    `msgid ${msgid}`
  const parts = [
    `${what}: ${type}`,
    name,
    seq !== 0n && `seq ${seq}`,
    addr !== undefined && `addr ${formatAddr(addr)}`,
    `${data.length} bytes`,
  ]
  const head = parts.filter(part => part !== false).join(', ')
  if (dump === 'frame' || data.length === 0) return head
  const shown = data.subarray(0, MOST)
  const rest = data.length > MOST ? `\n  … and ${data.length - MOST} bytes more` : ''
  return `${head}\n${dump === 'text' ? printable(shown.toString(), /[^\P{C}\n]/gu).replace(/^/gm, '  ') : hexLines(shown)}${rest}`
}

function formatAddr(addr: Addr): string {
  return typeof addr === 'number' ? String(addr) : formatAddress(addr)
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

function printable(text: string, others: RegExp): string {
  return text.replace(others, '.')
}
