/**
 * Layer 9. Channel in a browser, over its own WebSocket. `npm run build` makes one file of this
 * module and of what it imports: lib/rooms/sluice-rooms.js.
 *
 * @module sluice/rooms (browser)
 */

import { InvalidArgumentError } from '../errors.ts'
import type { Cancel, Milliseconds } from '../types.ts'
import { type BrowserSocket, BrowserCarrier } from './client/browser-carrier.ts'
import type { RoomChannelOptions } from './client/channel-options.ts'
import { RoomChannel } from './client/room-channel.ts'

export type { RoomChannelOptions } from './client/channel-options.ts'
export { ChannelState } from './client/channel-state.ts'
export {
  ChannelConnectionError,
  ChannelMessageError,
  type MessageErrorDetails,
} from './client/errors.ts'
export type { JoinOptions, ReconnectingEvent, RoomCloseEvent } from './client/room-channel.ts'
export { RoomChannel } from './client/room-channel.ts'
export type { Signal } from './client/signal.ts'
export { ChannelError } from '../errors.ts'

/** What a browser has. Its types are not among those of Node. */
interface Browser {
  readonly WebSocket: new (url: string, protocols: string[]) => BrowserSocket
  readonly location?: { readonly href: string }
}

/** The longest delay that timers take: 31 bits. A longer one would fire at once. */
const LONGEST: Milliseconds = 2 ** 31 - 1

function after(delay: Milliseconds, callback: () => void): Cancel {
  const timer = setTimeout(callback, Math.min(delay, LONGEST))
  return () => clearTimeout(timer)
}

/**
 * Talks to a room server over WebSocket. The URL may be that of the page: `/rooms` is a path of the
 * server that the page is from.
 *
 * @example
 * const channel = new Channel('/', { auto_reconnect: true })
 * channel.on_room_message('lobby', message => console.log(message))
 * await channel.connect()
 * await channel.join('lobby')
 * await channel.send_to('lobby', { text: 'hello' })
 */
export class Channel extends RoomChannel {
  /**
   * Connects to nothing yet. Throws InvalidArgumentError for an invalid URL, and for an option that
   * is unknown or invalid.
   */
  constructor(url: string, options: RoomChannelOptions = {}) {
    const browser = globalThis as unknown as Browser
    const whole = absolute(url, browser.location?.href)
    super(whole, options, [], ({ protocols }) => ({
      carrier: sink =>
        new BrowserCarrier(() => new browser.WebSocket(whole, [...protocols]), after, sink),
      now: () => performance.now(),
      after,
      log: (message, error) => console.error(message, error),
    }))
  }
}

/** The URL for WebSocket. The one that is given may be that of a page, or a part of it. */
function absolute(url: string, base: string | undefined): string {
  let whole = ''
  try {
    whole = new URL(url, base).href.replace(/^http/, 'ws')
  } catch {
    // It is invalid.
  }
  if (!/^wss?:/.test(whole))
    throw new InvalidArgumentError('new Channel: url', 'a URL of WebSocket or of a page', url)
  return whole
}
