/**
 * Layer 9. Job: what a supervisor runs, as a program writes it. An Architect says how its people
 * are reached, handlers take their packets, and hooks are told what happens to the run.
 */

import type { Milliseconds } from '../../types.ts'
import type {
  OnCatastrophicDisconnect,
  OnChannelOpen,
  OnMessage,
  PacketChannel,
} from '../channel/packet-channel.ts'
import type { ChannelStats } from '../lines/channel-stats.ts'
import type { Packet, PacketData, PacketFields } from '../packet.ts'

/** Knows the servers through which people are reached. */
// Source: Mephisto, `abstractions/architect.py`.
export interface Architect {
  /**
   * Makes the channels of a run, with these callbacks. The supervisor opens them. Called once for
   * each `register_job`.
   */
  get_channels(
    on_channel_open: OnChannelOpen,
    on_catastrophic_disconnect: OnCatastrophicDisconnect,
    on_message: OnMessage,
  ): readonly PacketChannel[] | Promise<readonly PacketChannel[]>
}

/** The types of packets that a job handles, each with its data: `{ say: { text: string } }`. */
export type PacketTypes = Record<string, any>

/**
 * A function for each type of packet. If it returns a promise, the next packet of that agent waits.
 * What it throws goes to `on_error`, and disturbs nothing.
 */
export type PacketHandlers<Types extends PacketTypes = any> = {
  readonly [Type in keyof Types]?: (packet: Packet<Types[Type]>, run: Run) => unknown
}

/** The answer to an agent that registers. */
export interface AgentDetails {
  /** Its id from now on. @default the id that it asked with, or a new one */
  readonly agent_id?: string
  /** Anything else that the answer shall have. */
  readonly [field: string]: unknown
}

/** What is known of an agent, from the router and from its packets. */
export interface AgentRecord {
  /** Its id in packets. */
  readonly agent_id: string
  /** The channel that it was heard on last. */
  readonly channel_id: string
  /** 'none' at first; then as the router says: 'connected', 'disconnect' … */
  readonly status: string
  /** What it registered with; undefined if it has not. */
  readonly registration: PacketData | undefined
}

/** What `register_job` takes. */
export interface Job<Types extends PacketTypes = any> {
  /** Gives the channels. */
  readonly architect: Architect
  /**
   * The functions that take packets, by type. A packet that no handler takes is reported to
   * `on_error`, unless it is one that the supervisor answers itself.
   */
  readonly handlers?: PacketHandlers<Types> | undefined
  /**
   * Called when an agent registers: once, however often the agent asks. What it returns, or
   * resolves with, is the answer to each of these requests.
   *
   * @default answers with the agent's id
   */
  on_register?(
    agent_id: string,
    data: PacketData,
    run: Run,
  ): AgentDetails | void | Promise<AgentDetails | void>
  /** Called when the router says that the status of an agent has changed. */
  on_status?(agent: AgentRecord, run: Run): unknown
  /**
   * Called when a channel is lost for good. Nothing is sent any more. The channels are closed when
   * the promise that it returns has settled, or after 5 s.
   */
  on_suspend?(run: Run, error: Error): unknown
  /** Called when the channels of the run have been closed. */
  on_shutdown?(run: Run): unknown
  /** Called last. */
  on_cleanup?(run: Run): unknown
  /**
   * Called with what goes wrong and ends nothing: a packet of an unknown type, a handler that
   * throws, a queue that is full.
   *
   * @default the supervisor's `on_error`
   */
  on_error?(error: Error, run: Run): unknown
}

/** A job at work. `Supervisor.register_job` makes it. */
export interface Run {
  /** A number, as text: no other run of this process has it. */
  readonly id: string
  /** The job. */
  readonly job: Job
  /**
   * Where the run is in its life:
   *
   *     opening → active → closing → closed
   *        └────────┴────► suspended → closed
   */
  readonly state: 'opening' | 'active' | 'suspended' | 'closing' | 'closed'
  /** Resolves when the run is over. It never rejects. */
  readonly closed: Promise<RunEnd>
  /** The agents that were heard of, by id. Live: do not change it. */
  readonly agents: ReadonlyMap<string, AgentRecord>
  /** The channels, by id. */
  readonly channels: ReadonlyMap<string, PacketChannel>

  /** How each channel is doing. */
  stats(): ChannelStats[]

  /**
   * Sends a packet, or one of these fields, to the agent that it names: over the channel that the
   * agent was heard on last, or over the one that is given.
   *
   * Returns false if there is no room in the queue, which `ready()` waits for, or if the run is not
   * active. True: it will arrive, if the agent confirms; otherwise the channel gets it in its turn.
   *
   * Throws PacketError (ERR_PACKET) if it is invalid or larger than the `packet_size` of its
   * channel, and PacketChannelError (ERR_CLOSED) for a channel that the run does not have.
   */
  send(packet: Packet | PacketFields, channel_id?: string): boolean

  /**
   * Resolves when at least half of the queue of that channel is free, or when the run is over.
   * Without an id it is the first channel.
   */
  ready(channel_id?: string): Promise<void>

  /**
   * Closes one channel. The run goes on with the others. Returns false if there is none of that id.
   */
  close_channel(channel_id: string): boolean

  /**
   * Ends the run. For up to `timeout` ms it waits until what was sent has gone out, and until the
   * agents that confirm have confirmed it. Then it closes the channels. The promise never rejects,
   * and is that of `closed`.
   */
  shutdown(timeout?: Milliseconds): Promise<RunEnd>
}

/** How a run has ended. */
export interface RunEnd {
  /**
   * 'shutdown': the program ended it. 'lost': a channel has given up, or the run never became
   * active.
   */
  readonly reason: 'shutdown' | 'lost'
  /** Why it was lost; undefined after a shutdown. */
  readonly error: Error | undefined
  /** How many packets were not sent, or not confirmed. */
  readonly unsent: number
}
