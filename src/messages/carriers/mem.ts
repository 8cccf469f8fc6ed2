/**
 * Layer 8. `mem://`: messages between channels of one program, through bounded queues. Unlike
 * direct, what is posted arrives later, when the receiver is processed, one message at a time.
 *
 *   mem://;name=a and mem://;master=a two channels mem://;name=a;mode=server and mem://;master=a a
 *   server and any number of clients, as with tcp://
 *
 * `size=64kb` is the limit of each queue. `frame=normal` carries msgid and seq of data,
 * `frame=full` everything, control messages included; what is not carried is dropped.
 */

import type { Implementation } from '../init.ts'
import { MemPair } from './mem-pair.ts'
import { MemServer } from './mem-server.ts'

export const Mem: Implementation = {
  protocol: 'mem',
  replace: ({ params }) =>
    params.choice('mode', ['client', 'server'], 'client') === 'server' ? MemServer : MemPair,
}
