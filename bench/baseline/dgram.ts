/**
 * Bench. UDP echo on node:dgram. The argument is `naive`, for UDP as most people write it, or
 * `tuned`, which sets the documented option `lookup`. Without it, each packet that is sent asks
 * `dns.lookup` to resolve what is an address already.
 */

import { createSocket, type SocketOptions } from 'node:dgram'
import { ready } from '../child.ts'

const TUNED: SocketOptions = {
  type: 'udp4',
  lookup: (address, _options, done) => done(null, address, 4),
}

const socket = createSocket(process.argv[2] === 'tuned' ? TUNED : { type: 'udp4' })
socket.on('message', (data, from) => socket.send(data, from.port, from.address))
socket.bind({ port: 0, address: '127.0.0.1' }, () => ready(['127.0.0.1', socket.address().port]))
