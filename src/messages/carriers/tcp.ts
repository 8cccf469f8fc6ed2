/**
 * Layer 8. `tcp://`, `unix://` and `tls+tcp://`: which of the two, `mode=client` or `mode=server`.
 *
 * Another protocol over a stream is an entry like these. `tls+tcp` is found before the prefix rule,
 * as its name is exact.
 */

import type { Implementation, Init } from '../init.ts'
import { TcpClient } from './tcp-client.ts'
import { TcpServer } from './tcp-server.ts'

const choose = ({ params }: Init): Implementation =>
  params.choice('mode', ['client', 'server'], 'client') === 'server' ? TcpServer : TcpClient

export const Tcp: Implementation = { protocol: 'tcp', replace: choose }
export const TlsTcp: Implementation = { protocol: 'tls+tcp', replace: choose }
export const Unix: Implementation = { protocol: 'unix', replace: choose }
