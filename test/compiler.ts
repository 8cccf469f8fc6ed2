/**
 * TypeScript's compiler, for tests that read programs. It is required, because Node searches what
 * is imported for names: nine million characters take it 0.3 s.
 */

import { createRequire } from 'node:module'
import type TypeScript from 'typescript-api'

export const ts: typeof TypeScript = createRequire(import.meta.url)('typescript-api')
