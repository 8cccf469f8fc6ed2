/**
 * Layer 9. MockArchitect: an architect for tests, whose channels lead to a MockServer.
 */
// Source: Mephisto, `abstractions/architects/mock_architect.py`.

import { type Checks, instanceOf, wholeFrom } from '../../core/checks.ts'
import { checkOptions, optionsOf } from '../../core/options.ts'
import { Context } from '../../messages/context.ts'
import type {
  OnCatastrophicDisconnect,
  OnChannelOpen,
  OnMessage,
} from '../channel/packet-channel.ts'
import { WebsocketChannel } from '../channel/websocket-channel.ts'
import { CHANNEL_CHECKS, type WebsocketChannelOptions } from '../channel/websocket-options.ts'
import type { Architect } from '../supervisor/job.ts'
import { MockServer } from './mock-server.ts'

/** The options of a MockArchitect. */
export interface MockArchitectOptions {
  /** Makes the message channels of both sides. @default Context.instance() */
  readonly context?: Context | undefined
  /** The server that its channels lead to. @default a new one, on mem:// */
  readonly server?: MockServer | undefined
  /** How many channels a run gets. @default 1 */
  readonly channels?: number | undefined
  /** The options of each channel. */
  readonly channel?: Omit<WebsocketChannelOptions, 'context'> | undefined
}

const CHECKS: Checks<MockArchitectOptions> = {
  context: instanceOf(Context),
  server: instanceOf(MockServer),
  channels: wholeFrom(1),
  channel: optionsOf(CHANNEL_CHECKS, 'context'),
}

let architects = 0

/**
 * Gives a run channels to a server that only the test knows.
 *
 * @example
 * const architect = new MockArchitect({ context })
 * await new Supervisor({ engine }).register_job({ architect })
 * architect.server.send_agent_act('ann', { text: 'hello' })
 */
export class MockArchitect implements Architect {
  /** The server that its channels lead to. */
  readonly server: MockServer
  /** The channels that it has made, in order. */
  readonly channels: WebsocketChannel[] = []
  readonly #context: Context
  readonly #count: number
  readonly #options: Omit<WebsocketChannelOptions, 'context'>
  readonly #name = `mock-${++architects}`
  #url: Promise<string> | undefined

  /** Opens nothing. Throws InvalidArgumentError for an option that does not exist. */
  constructor(options: MockArchitectOptions = {}) {
    checkOptions('new MockArchitect', options, CHECKS)
    const { context = Context.instance(), server, channels = 1, channel = {} } = options
    this.#context = context
    this.server = server ?? new MockServer({ context })
    this.#count = channels
    this.#options = channel
  }

  /** Opens the server the first time. */
  async get_channels(
    on_channel_open: OnChannelOpen,
    on_catastrophic_disconnect: OnCatastrophicDisconnect,
    on_message: OnMessage,
  ): Promise<WebsocketChannel[]> {
    const url = await (this.#url ??= this.server.open())
    const made = Array.from(
      { length: this.#count },
      (_, index) =>
        new WebsocketChannel(
          `${this.#name}-${this.channels.length + index + 1}`,
          on_channel_open,
          on_catastrophic_disconnect,
          on_message,
          url,
          { ...this.#options, context: this.#context },
        ),
    )
    this.channels.push(...made)
    return made
  }
}
