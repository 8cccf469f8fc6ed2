/**
 * Layer 8. The protocols and aliases that every context knows, one line each.
 *
 * Most are classes. `file`, `mem`, `tcp`, `tls+tcp`, `unix`, `ws` and `wss` choose one of two by a
 * parameter of the URL. (`tls+tcp` is not taken for a prefix: an exact name is found first.)
 */

import { Direct } from './carriers/direct.ts'
import { Echo } from './carriers/echo.ts'
import { FileReader } from './carriers/file-reader.ts'
import { FileWriter } from './carriers/file-writer.ts'
import { Js } from './carriers/js.ts'
import { MemPair } from './carriers/mem-pair.ts'
import { MemServer } from './carriers/mem-server.ts'
import { Null } from './carriers/null.ts'
import { TcpClient } from './carriers/tcp-client.ts'
import { TcpServer } from './carriers/tcp-server.ts'
import { Timer } from './carriers/timer.ts'
import { Udp } from './carriers/udp.ts'
import { WsClient } from './carriers/websocket/ws-client.ts'
import { WsServer } from './carriers/websocket/ws-server.ts'
import { Zero } from './carriers/zero.ts'
import type { Implementation } from './init.ts'
import { Deflate } from './prefixes/deflate.ts'
import { Filter } from './prefixes/filter.ts'
import { PubClient, PubServer } from './prefixes/pub.ts'
import { Rate } from './prefixes/rate.ts'
import { Reopen } from './prefixes/reopen.ts'
import { StreamPrefixClient } from './prefixes/stream-prefix-client.ts'
import { StreamPrefixServer } from './prefixes/stream-prefix-server.ts'

export const PROTOCOLS: readonly Implementation[] = [
  // carriers
  Direct,
  Echo,
  byDirection('file', FileReader, FileWriter),
  Js,
  byMode('mem', MemPair, MemServer),
  Null,
  byMode('tcp', TcpClient, TcpServer),
  byMode('tls+tcp', TcpClient, TcpServer),
  Timer,
  Udp,
  byMode('unix', TcpClient, TcpServer),
  byMode('ws', WsClient, WsServer),
  byMode('wss', WsClient, WsServer),
  Zero,
  // prefixes
  Deflate,
  Filter,
  byMode('pub+', PubClient, PubServer),
  Rate,
  Reopen,
  byMode('stream+', StreamPrefixClient, StreamPrefixServer),
]

/** Short names, and the URL that each stands for. */
export const ALIASES: Readonly<Record<string, string>> = { mudp: 'udp://;udp.multicast=yes' }

/** `mode=server` chooses the server; `mode=client`, the default, chooses the client. */
function byMode(protocol: string, client: Implementation, server: Implementation): Implementation {
  return {
    protocol,
    replace: ({ params }) =>
      params.choice('mode', ['client', 'server'], 'client') === 'server' ? server : client,
  }
}

/** `dir=w` chooses the writer; `dir=r`, the default, chooses the reader. */
function byDirection(
  protocol: string,
  reader: Implementation,
  writer: Implementation,
): Implementation {
  return {
    protocol,
    replace: ({ params }) =>
      params.choice('dir', ['r', 'w', 'in', 'out'], 'r').match(/^(w|out)$/) ? writer : reader,
  }
}
