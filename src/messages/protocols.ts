/**
 * Layer 7. The protocols that every context knows: one line each.
 */

import { Direct } from './direct.ts'
import { Echo } from './echo.ts'
import { Mem } from './mem.ts'
import type { Implementation } from './init.ts'
import { Null } from './null.ts'
import { Timer } from './timer.ts'
import { Zero } from './zero.ts'

export const PROTOCOLS: readonly Implementation[] = [Direct, Echo, Mem, Null, Timer, Zero]
