/**
 * Layer 2. How a socket of node:net is told to connect, and what its refusals are.
 */

import type { LookupAddress } from 'node:dns'
import type { LookupFunction, NetConnectOpts, Socket } from 'node:net'
import { answerLater } from '../core/promises.ts'
import type { ConnectOptions, Endpoint, SystemError } from '../transport.ts'
import type { Milliseconds } from '../types.ts'

/**
 * How long Node waits for one address of a host before it gives that one up and tries the next.
 * Node's default of 250 ms ends connects that would have succeeded (nodejs/node#54359). One second
 * is enough for a slow link, and still short where IPv6 leads nowhere.
 */
const NEXT_ADDRESS_AFTER: Milliseconds = 1000

/**
 * Starts to connect, without Nagle's delay. Never throws: what Node refuses becomes the 'error' of
 * the socket. (`noDelay` among the options of `connect` has no effect, though the documentation of
 * Node 20 lists it: nodejs/node#59823. That the setter works before there is a connection is not
 * documented; it was checked with Node 20, 22, 24 and 26.)
 */
export function connectSocket(socket: Socket, to: Endpoint, options: ConnectOptions): void {
  if (to.kind === 'ip') socket.setNoDelay(true)
  try {
    socket.connect(connectOptions(to, options))
  } catch (error) {
    // Node throws for some invalid arguments (a local address, for example) and reports the others.
    socket.destroy(error as Error)
  }
}

function connectOptions(to: Endpoint, { lookup, local }: ConnectOptions): NetConnectOpts {
  if (to.kind === 'unix') return { path: to.path }
  return {
    host: to.host === '' ? 'localhost' : to.host,
    port: to.port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER,
    ...(local?.host && { localAddress: local.host }),
    ...(local?.port && { localPort: local.port }),
    ...(lookup !== undefined && { lookup: answering(lookup as LookupFunction) }),
  } as NetConnectOpts
}

/** It may be async, as `dns.promises.lookup` is. */
function answering(lookup: LookupFunction): LookupFunction {
  return (host, options, callback) => {
    const found = (all: LookupAddress | LookupAddress[]): void =>
      Array.isArray(all) ? callback(null, all) : callback(null, all.address, all.family)
    const failed = (error: NodeJS.ErrnoException): void => callback(error, '')
    const takesNone = lookup.length === 1 || lookup.length === 2
    answerLater(lookup(host, options, callback), found, failed, takesNone)
  }
}

/**
 * The error as the seam reports it. If several addresses of one host failed, Node's error has no
 * message: this one has all of theirs, and the code of the first.
 */
export function connectError(error: SystemError): SystemError {
  if (!(error instanceof AggregateError)) return error
  const errors = error.errors as SystemError[]
  return Object.assign(new Error(errors.map(each => each.message).join('; '), { cause: error }), {
    code: errors[0]?.code,
    syscall: 'connect',
  })
}
