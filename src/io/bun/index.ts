/**
 * Layer 2. What a program gets of this folder. See networks.ts for why it stands here.
 */

export { BunNetwork } from './network.ts'
