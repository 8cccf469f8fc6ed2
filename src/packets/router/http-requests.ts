/**
 * Layer 9. HttpRequests: what a router answers by HTTP. A person who has no connection yet asks the
 * supervisor in this way.
 *
 * The way: POST → a packet to the supervisor with a `request_id` → its packet with that id → the
 * response.
 */

import { Buffer } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { DRIVE, type Engine } from '../../engine.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import { Packet, type PacketData } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'

/** What each path asks of the supervisor. */
const TYPES: Readonly<Record<string, string>> = {
  '/request_agent': PACKET_TYPES.REGISTER_AGENT,
  '/register_worker': PACKET_TYPES.REGISTER_WORKER,
  '/initial_task_data': PACKET_TYPES.INIT_DATA_REQUEST,
  '/submit_onboarding': PACKET_TYPES.SUBMIT_ONBOARDING,
}

/** The most bytes of a request. */
const BODY_MAX: Bytes = 1024 * 1024

/** The most requests that wait for the supervisor. */
const PENDING_MAX = 1000

const TIMEOUT: Milliseconds = 30_000

interface Pending {
  readonly response: ServerResponse
  readonly cancel: Cancel
}

export class HttpRequests {
  readonly #engine: Engine
  readonly #ask: (packet: Packet) => boolean
  readonly #pending = new Map<string, Pending>()
  readonly #nonce = Math.random().toString(36).slice(2, 10)
  #count = 0

  /** `ask` sends to the supervisor. It returns false if that one is away, or has no room. */
  constructor(engine: Engine, ask: (packet: Packet) => boolean) {
    this.#engine = engine
    this.#ask = ask
  }

  /** Answers it, now or later. Returns false for a path that is none of the router's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url?.split('?')[0] ?? ''
    if (path === '/is_alive') {
      reply(response, 200, { status: 'Alive!' })
      return true
    }
    if (!Object.hasOwn(TYPES, path)) return false
    if (request.method !== 'POST') reply(response, 405, { error: 'POST only' })
    else this.#read(request, response, TYPES[path] as string)
    return true
  }

  #read(request: IncomingMessage, response: ServerResponse, type: string): void {
    const chunks: Buffer[] = []
    let size = 0
    request.on('error', () => response.destroy())
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= BODY_MAX) chunks.push(chunk)
      else if (!response.headersSent) reply(response, 413, { error: 'the request is too large' })
    })
    request.on('end', () => {
      if (!response.headersSent) this.#forward(Buffer.concat(chunks).toString(), response, type)
    })
  }

  #forward(body: string, response: ServerResponse, packet_type: string): void {
    const provider_data = providerData(body)
    if (provider_data === undefined)
      return reply(response, 400, { error: 'the body must be JSON: { "provider_data": { … } }' })
    if (this.#pending.size >= PENDING_MAX) return reply(response, 503, { error: 'too busy' })
    const request_id = `${this.#nonce}-${++this.#count}`
    const cancel = this.#engine[DRIVE].after(TIMEOUT, () => {
      this.#pending.delete(request_id)
      reply(response, 504, { error: 'the supervisor did not answer' })
    })
    this.#pending.set(request_id, { response, cancel })
    response.on('close', () => this.#take(request_id))
    const packet = new Packet({
      packet_type,
      sender_id: ROUTER_ID,
      receiver_id: SUPERVISOR_ID,
      data: { provider_data, request_id },
    })
    if (this.#ask(packet)) return
    this.#take(request_id)
    reply(response, 503, { error: 'there is no supervisor' })
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.cancel()
    return pending
  }

  /** The supervisor has sent this packet. Returns true if it was the answer to a request. */
  answer({ data }: Packet, text: string): boolean {
    const { request_id } = data as PacketData
    const pending = typeof request_id === 'string' ? this.#take(request_id) : undefined
    if (pending === undefined) return false
    pending.response.writeHead(200, { 'content-type': 'application/json' }).end(text)
    return true
  }

  /** The router closes: requests that wait are refused. */
  close(): void {
    for (const id of [...this.#pending.keys()])
      reply(this.#take(id)!.response, 503, { error: 'the router is closing' })
  }
}

function providerData(body: string): object | undefined {
  try {
    const { provider_data } = JSON.parse(body) as PacketData
    return typeof provider_data === 'object' && provider_data !== null ? provider_data : undefined
  } catch {
    return undefined
  }
}

function reply(response: ServerResponse, status: number, content: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(`${JSON.stringify(content)}\n`)
}
