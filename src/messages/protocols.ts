/**
 * Layer 7. The protocols that every context knows, and the aliases: one line each.
 */

import { Deflate } from './deflate.ts'
import { Direct } from './direct.ts'
import { Echo } from './echo.ts'
import { File } from './file.ts'
import { Filter } from './filter.ts'
import type { Implementation } from './init.ts'
import { Js } from './js.ts'
import { Mem } from './mem.ts'
import { Null } from './null.ts'
import { Rate } from './rate.ts'
import { Reopen } from './reopen.ts'
import { Tcp, TlsTcp, Unix } from './tcp.ts'
import { Timer } from './timer.ts'
import { Udp } from './udp.ts'
import { Zero } from './zero.ts'

export const PROTOCOLS: readonly Implementation[] = [
  // channels
  Direct, Echo, File, Js, Mem, Null, Tcp, TlsTcp, Timer, Udp, Unix, Zero,
  // prefixes
  Deflate, Filter, Rate, Reopen,
]

/** Short names. */
export const ALIASES: Readonly<Record<string, string>> = { mudp: 'udp://;udp.multicast=yes' }
