/**
 * Layer 9. MockServer: a server for tests, which records what it gets and sends what it is told.
 */
// Source: Mephisto, `test/utils.py` and the mock server of its architects.

import { checkBoolean, checkName, type Checks, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { Context } from '../../messages/context.ts'
import { type Addr, Control } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { Packet, type PacketData, type PacketFields, toPacket } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'

/** The options of a MockServer. */
export interface MockServerOptions {
  /** Makes its message channel. @default Context.instance() */
  readonly context?: Context | undefined
  /** Where it listens: any URL with `mode=server`. @default 'mem://;mode=server' */
  readonly url?: string | undefined
  /** Does it answer `request_status`, as every router does? @default true */
  readonly answers?: boolean | undefined
}

const OPTIONS: Checks<MockServerOptions> = {
  context: instanceOf(Context),
  url: checkName,
  answers: checkBoolean,
}

/**
 * A server that plays a router for the tests of a program: it keeps every packet, and pushes those
 * that the test wants.
 *
 * @example
 * const server = new MockServer({ context })
 * const channel = new WebsocketChannel('mock', opened, lost, message, await server.open())
 */
export class MockServer {
  readonly #context: Context
  readonly #url: string
  readonly #answers: boolean
  #channel: MessageChannel | undefined
  #clientUrl: string | undefined
  readonly #peers = new Set<Addr>()
  /** What was sent before the first connection; undefined afterwards. */
  #early: string[] | undefined = []

  /** Every packet that has arrived, in order. */
  readonly packets: Packet[] = []
  /** The `agent_action`s among them. */
  readonly actions_observed: Packet[] = []
  /** The last `alive`; undefined if none has come. */
  last_alive_packet: Packet | undefined
  /** The last packet that was no `alive` and no request of statuses. */
  last_packet: Packet | undefined

  /** Opens nothing. Throws InvalidArgumentError if an option is invalid or does not exist. */
  constructor(options: MockServerOptions = {}) {
    checkOptions('new MockServer', options, OPTIONS)
    const { context = Context.instance(), url = 'mem://;mode=server', answers = true } = options
    this.#context = context
    this.#url = url
    this.#answers = answers
  }

  /** How many connections it has. */
  get subs(): number {
    return this.#peers.size
  }

  /** Listens. Resolves with the URL of its clients; rejects if it cannot listen. */
  async open(): Promise<string> {
    const channel = this.#context.init(this.#clientUrl === undefined ? this.#url : this.#again)
    this.#channel = channel
    channel.on_control = ({ msgid, addr }) => {
      if (msgid === Control.Connect) this.#connected(addr!)
      else if (msgid === Control.Disconnect) this.#peers.delete(addr!)
    }
    channel.on_message = ({ data, addr }) => this.#heard(data.toString(), addr!)
    await channel.open().opened
    return (this.#clientUrl ??= channel.client_url!)
  }

  #connected(addr: Addr): void {
    this.#peers.add(addr)
    for (const data of this.#early ?? []) this.#channel!.post({ data, addr })
    this.#early = undefined
  }

  /** Where it listened before: its clients must find it there again. */
  get #again(): string {
    const url = this.#clientUrl!
    return url.startsWith('mem:')
      ? `${this.#url};name=${/master=([^;]*)/.exec(url)![1]}`
      : `${url.replace(';mode=client', '')};mode=server`
  }

  #heard(text: string, addr: Addr): void {
    const packet = Packet.from_text(text)
    this.packets.push(packet)
    const { ALIVE, AGENT_ACTION, REQUEST_STATUS, REQUEST_STATUSES } = PACKET_TYPES
    if (packet.type === ALIVE) this.last_alive_packet = packet
    else if (packet.type === REQUEST_STATUS || packet.type === REQUEST_STATUSES)
      this.#answer(packet, addr)
    else this.last_packet = packet
    if (packet.type === AGENT_ACTION) this.actions_observed.push(packet)
  }

  #answer({ subject_id }: Packet, addr: Addr): void {
    if (!this.#answers) return
    const answer = new Packet(
      subject_id === undefined
        ? {
            packet_type: PACKET_TYPES.RETURN_STATUS,
            sender_id: ROUTER_ID,
            receiver_id: SUPERVISOR_ID,
          }
        : { packet_type: PACKET_TYPES.RETURN_STATUSES, subject_id: SUPERVISOR_ID },
    )
    this.#channel!.post({ data: answer.to_text(), addr })
  }

  // ---- what a test has it send ------------------------------------------------------------------

  /**
   * Sends a packet, or one of these fields, to all its connections. Returns how many took it. A
   * text is sent as it is, even if it is not a packet. What is sent before the first connection
   * waits for it. Throws PacketError if it is invalid.
   */
  send(packet: Packet | PacketFields | string): number {
    const data = typeof packet === 'string' ? packet : toPacket(packet).to_text()
    this.#early?.push(data)
    let count = 0
    for (const addr of this.#peers) if (this.#channel!.post({ data, addr })) count++
    return count
  }

  /** An agent has acted. */
  send_agent_act(agent_id: string, data: PacketData = {}): number {
    return this.#sendFrom(agent_id, PACKET_TYPES.AGENT_ACTION, data)
  }

  /** An agent wants to register. */
  register_mock_agent(agent_id: string, provider_data: PacketData = {}): number {
    return this.#sendFrom(agent_id, PACKET_TYPES.REGISTER_AGENT, {
      provider_data,
      request_id: `request-${checkName('agent_id', agent_id)}`,
    })
  }

  /** A worker wants to register: by HTTP, so that the router asks for it. */
  register_mock_worker(worker_name: string): number {
    return this.#sendFrom(ROUTER_ID, PACKET_TYPES.REGISTER_WORKER, {
      provider_data: { worker_name },
      request_id: `request-${checkName('worker_name', worker_name)}`,
    })
  }

  /** The statuses of agents have changed. */
  send_statuses(statuses: Readonly<Record<string, string>>): number {
    return this.#sendFrom(ROUTER_ID, PACKET_TYPES.RETURN_STATUS, statuses)
  }

  #sendFrom(sender_id: string, packet_type: string, data: PacketData): number {
    return this.send({ packet_type, sender_id, receiver_id: SUPERVISOR_ID, data })
  }

  // ---- failures ---------------------------------------------------------------------------------

  /** Closes all connections, and refuses new ones until `open` is called again. */
  async close(): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    this.#peers.clear()
    if (channel === undefined) return
    channel.close()
    await channel.closed
    channel.destroy()
  }

  /** Closes all connections, now. New ones are welcome. */
  disconnect(): void {
    for (const addr of this.#peers)
      this.#channel!.post({ type: 'control', msgid: Control.Disconnect, addr })
  }
}
