/**
 * Bench. The server of a soak of message channels. It confirms each message, keeps the order of
 * each sender, and sends peers away now and then. It says what it holds when it is asked.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Addr, Context, Control } from 'sluice/messages'
import { CERTIFICATE, KEY } from '../certificate.ts'
import { tellHolding } from '../soak/holding.ts'
import { contentOf, DONE } from '../soak/message-senders.ts'

/** About so many messages of a peer pass before it is sent away. */
const PATIENCE = 2000

const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
writeFileSync(cert, CERTIFICATE)
writeFileSync(key, KEY)

const closed: Record<string, number> = {}
const faults: string[] = []
/** The last message of each sender. A sender that is done is forgotten. */
const last = new Map<number, bigint>()
/** The last message of each connection. */
const lastHere = new Map<Addr, bigint>()

const server = new Context().init(
  `rate+tls+tcp://127.0.0.1:0;mode=server;cert=${cert};key=${key};speed=1gb;max-window=1gb;` +
    'buffer-size=16kb;read-timeout=8s;write-timeout=5s',
)
server.on_error = () => {}
server.on_control = ({ msgid, addr, data }) => {
  if (msgid !== Control.Disconnect) return
  lastHere.delete(addr as Addr)
  const reason = data.length === 0 ? 'in order' : 'by a fault'
  closed[reason] = (closed[reason] ?? 0) + 1
}
server.on_message = ({ msgid, seq, data, addr }) => {
  if (seq === DONE) last.delete(msgid)
  else take(msgid, seq, data, addr as Addr)
  const confirmed = seq === DONE ? DONE : (last.get(msgid) ?? 0n)
  server.post({ msgid, seq: confirmed, addr })
  if (Math.random() * PATIENCE < 1)
    server.post({ type: 'control', msgid: Control.Disconnect, addr })
}

function take(sender: number, seq: bigint, data: Buffer, addr: Addr): void {
  const before = lastHere.get(addr)
  if (before !== undefined && seq !== before + 1n)
    faults.push(`${seq} of ${sender} came after ${before}, in one connection`)
  lastHere.set(addr, seq)
  const known = last.get(sender) ?? 0n
  if (seq > known + 1n) faults.push(`${seq} of ${sender} came after ${known}: lost in between`)
  if (!data.equals(contentOf(seq))) faults.push(`${seq} of ${sender} came as something else`)
  if (seq === known + 1n) last.set(sender, seq)
}

await server.open().opened
tellHolding({
  port: (server.info['local'] as [string, number])[1],
  connections: () => server.info['peers'] as number,
  closed,
  faults,
})
