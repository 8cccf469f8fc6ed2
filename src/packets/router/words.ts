/**
 * Layer 9. Words: the packets that a router says itself.
 */

import { fromOf, Packet, type PacketPlace } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'

/** Says that a party is there, or asks it how far it is. */
export function aliveWord(sender_id: string, receiver_id: string, data: object = {}): string {
  return new Packet({ packet_type: PACKET_TYPES.ALIVE, sender_id, receiver_id, data }).to_text()
}

/** How agents are, for the supervisor. `isToday`: in today's shape. */
export function statusesWord(
  data: Record<string, string>,
  place: PacketPlace,
  isToday: boolean,
): Packet {
  return isToday
    ? new Packet(
        { packet_type: PACKET_TYPES.RETURN_STATUSES, subject_id: SUPERVISOR_ID, data },
        place,
      )
    : new Packet(
        {
          packet_type: PACKET_TYPES.RETURN_STATUS,
          sender_id: ROUTER_ID,
          receiver_id: SUPERVISOR_ID,
          data,
        },
        place,
      )
}

/** The answer to a heartbeat. */
export function heartbeatWord(packet: Packet, status: string): string {
  const data = { status }
  const answer =
    packet.subject_id === undefined
      ? packet.copy({
          sender_id: packet.receiver_id as string,
          receiver_id: fromOf(packet),
          data,
        })
      : packet.copy({ data })
  return answer.to_text()
}
