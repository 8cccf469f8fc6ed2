/** Plays one case over a connection, and says what was wrong. */

import { Buffer } from 'node:buffer'
import { type Case, CLOSE, type Expected, frame } from './case.ts'
import type { Event, Peer, Side } from './peer.ts'

/** Undefined: all was as it must be. */
export async function play(each: Case, peer: Peer, side: Side): Promise<string | undefined> {
  try {
    for (const { send, get, chop, kept } of each.steps) {
      await peer.send(send, chop, kept)
      for (const expected of get) {
        const fault = compare(await peer.next(), expected)
        if (fault !== undefined) return fault
      }
    }
    return (await exchange(each, peer)) ?? (await part(each, peer, side))
  } catch (error) {
    return (error as Error).message
  } finally {
    peer.destroy()
  }
}

async function exchange({ traffic, deflate }: Case, peer: Peer): Promise<string | undefined> {
  if (deflate !== undefined && !peer.isCompressing) return 'no compression was agreed on'
  for (let i = 0; i < (traffic?.count ?? 0); i++) {
    const message = traffic!.message(i)
    await peer.sendMessage(message, traffic!.fragment)
    const fault = compare(await peer.next(), message)
    if (fault !== undefined) return `message ${i}: ${fault}`
  }
  return undefined
}

/** The end: who closes first, with which code, and that nothing else comes. */
async function part({ closes }: Case, peer: Peer, side: Side): Promise<string | undefined> {
  if (closes === undefined) await peer.send([frame(CLOSE, Buffer.from([3, 232]))])
  const event = await peer.next()
  if (event === 'ended') return 'TCP has ended without a close frame'
  if (event.opcode !== CLOSE) return `it still sends ${show(event)}`
  const code = event.payload.length === 0 ? 1005 : event.payload.readUInt16BE()
  if (code !== (closes ?? 1000)) return `it closes with ${code}, and not with ${closes ?? 1000}`
  if (side === 'server') peer.end()
  const end = await peer.next()
  return end === 'ended' ? undefined : `after its close frame it sends ${show(end)}`
}

function compare(event: Event, expected: Expected): string | undefined {
  const isRight =
    event !== 'ended' && event.opcode === expected.opcode && event.payload.equals(expected.payload)
  return isRight ? undefined : `${show(event)} comes, and not ${show(expected)}`
}

function show(event: Event): string {
  if (event === 'ended') return 'the end of TCP'
  const { opcode, payload } = event
  const start = payload.subarray(0, 20).toString('latin1')
  return `opcode ${opcode} with ${payload.length} bytes, ${start}`
}
