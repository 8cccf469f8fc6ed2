/**
 * Bench. UDP echo: each packet goes back to its sender.
 */

import { Buffer } from 'node:buffer'
import { Datagram } from 'sluice'
import { ready } from '../child.ts'

class UdpEcho extends Datagram {
  override on_read(data: Buffer): void {
    this.write(data)
  }
}

const channel = new UdpEcho().listen(['127.0.0.1', 0])
await channel.opened
ready(channel.local_address)
