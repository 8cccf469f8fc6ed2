/**
 * Layer 2. The networks that a program may choose, besides the default one.
 *
 * It stands between src/index.ts and their folders, as their index.ts do, so that the files are
 * found two steps later. Node's loader opens at once all files that it knows of, and 64 descriptors
 * must do (ulimit -n 64).
 */

export { BunNetwork } from './bun/index.ts'
export { FastNetwork } from './fast/index.ts'
