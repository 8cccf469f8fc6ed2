/**
 * Layer 8. The protocols that every context knows, and the aliases: one line each.
 */

import { Deflate } from './prefixes/deflate.ts'
import { Direct } from './carriers/direct.ts'
import { Echo } from './carriers/echo.ts'
import { File } from './carriers/file.ts'
import { Filter } from './prefixes/filter.ts'
import type { Implementation } from './init.ts'
import { Js } from './carriers/js.ts'
import { Mem } from './carriers/mem.ts'
import { Null } from './carriers/null.ts'
import { Rate } from './prefixes/rate.ts'
import { Reopen } from './prefixes/reopen.ts'
import { Tcp, TlsTcp, Unix } from './carriers/tcp.ts'
import { Timer } from './carriers/timer.ts'
import { Udp } from './carriers/udp.ts'
import { Zero } from './carriers/zero.ts'

export const PROTOCOLS: readonly Implementation[] = [
  // channels
  Direct,
  Echo,
  File,
  Js,
  Mem,
  Null,
  Tcp,
  TlsTcp,
  Timer,
  Udp,
  Unix,
  Zero,
  // prefixes
  Deflate,
  Filter,
  Rate,
  Reopen,
]

/** Short names. */
export const ALIASES: Readonly<Record<string, string>> = { mudp: 'udp://;udp.multicast=yes' }
