/**
 * Layer 2. A server on `Bun.listen`, in the shape in which NodeListener wants its server.
 *
 *   listen → (the host is looked up →) #open → 'listening' → accept, for each socket → close
 *
 * As with Node's, the system listens when `listen` returns, unless a host is looked up first.
 */

import { lookup } from 'node:dns'
import { EventEmitter } from 'node:events'
import { type AddressInfo, isIP } from 'node:net'
import { getSystemErrorMap } from 'node:util'
import { codeOf } from '../../errors.ts'
import type { SystemError } from '../../transport.ts'
import type { Port } from '../../types.ts'
import type { HowToListen, ListeningServer } from '../listening/listener.ts'
import type { BunGlobal, BunListening, BunPlace, BunSocket, BunSocketHandlers } from './bun.ts'

/** Errors of '::' on a machine without IPv6: the kernel has none, or it is switched off. */
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])

const ANY_IPV4 = '0.0.0.0'

export class BunServer extends EventEmitter implements ListeningServer {
  readonly #bun: BunGlobal
  readonly #handlers: BunSocketHandlers
  #listening: BunListening | undefined
  /** Gets each socket. */
  accept: (socket: BunSocket) => void = socket => socket.close()

  constructor(bun: BunGlobal, handlers: BunSocketHandlers) {
    super()
    this.#bun = bun
    this.#handlers = handlers
  }

  get listening(): boolean {
    return this.#listening !== undefined
  }

  get fd(): number {
    return this.#listening?.fd ?? -1
  }

  address(): AddressInfo | null {
    const found: { address?: string; port?: Port } = {}
    this.#listening?.getsockname(found)
    return found.port === undefined ? null : (found as AddressInfo)
  }

  /** Throws nothing, and reports in a later tick. */
  listen(how: HowToListen, listening: () => void): this {
    this.once('listening', listening)
    const { host, port = 0, path, fd } = how
    if (fd !== undefined) this.#open(how, { fd })
    else if (path !== undefined) this.#open(how, { unix: path })
    else if (host === undefined) this.#open(how, { hostname: '::', port })
    else if (isIP(host) !== 0) this.#open(how, { hostname: host, port })
    else
      lookup(host, (error, address) => {
        if (error) this.emit('error', error)
        else this.#open(how, { hostname: address, port })
      })
    return this
  }

  #open(how: HowToListen, at: BunPlace): void {
    const { reusePort = false, ipv6Only = false } = how
    const options = { ...at, reusePort, ipv6Only, allowHalfOpen: true, data: this }
    try {
      this.#listening = this.#bun.listen({ ...options, socket: this.#handlers })
      process.nextTick(() => this.listening && this.emit('listening'))
    } catch (error) {
      if (
        how.host === undefined &&
        'port' in at &&
        NO_IPV6.has(codeOf(error)) &&
        at.hostname !== ANY_IPV4
      )
        this.#open(how, { hostname: ANY_IPV4, port: at.port })
      else process.nextTick(() => this.emit('error', listenError(error as SystemError, at)))
    }
  }

  close(): this {
    this.#listening?.stop()
    this.#listening = undefined
    return this
  }
}

/** The error in Node's words. Bun says "Failed to listen at HOST" whatever it is. */
function listenError(error: SystemError, at: BunPlace): SystemError {
  const code = codeOf(error)
  const [, why = error.message] =
    [...getSystemErrorMap().values()].find(([name]) => name === code) ?? []
  const where =
    'port' in at ? `${at.hostname}:${at.port}` : 'unix' in at ? at.unix : `descriptor ${at.fd}`
  const message = `listen ${code}: ${why} ${where}`
  return Object.assign(new Error(message, { cause: error }), { code, syscall: 'listen' })
}
