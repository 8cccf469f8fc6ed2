/**
 * Layer 2. What a program gets of this folder.
 *
 * It stands between src/index.ts and the folder so that these files are found a step later: Node's
 * loader opens at once all files that it knows of, and 64 descriptors must do (ulimit -n 64).
 */

export { FastNetwork } from './network.ts'
