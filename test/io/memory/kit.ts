/**
 * What the tests of the memory network share. Every report comes from a pump, so each test decides
 * exactly when.
 */

import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import type { MemoryNetworkOptions } from '../../../src/io/memory/network.ts'
import type { ConnectOptions, Endpoint, Listener, Transport } from '../../../src/transport.ts'

export const at = (port: number, host = ''): Endpoint => ({ kind: 'ip', host, port })
export const path = (path: string): Endpoint => ({ kind: 'unix', path })

/** Logs what is reported; `hooks` are called inside the reports. */
export function watch(
  transport: Transport,
  name: string,
  log: string[],
  hooks: Record<string, () => void> = {},
): Transport {
  const note = (what: string): void => {
    log.push(`${name} ${what}`)
    hooks[what.split(' ')[0]!]?.()
  }
  transport.sink = {
    opened: () => note('opened'),
    received: chunk => note(`received ${chunk.length > 20 ? chunk.length : chunk}`),
    drained: () => note('drained'),
    ended: () => note('ended'),
    failed: error => note(`failed ${error.code} ${error.syscall}`),
    closed: () => note('closed'),
  }
  return transport
}

/** The same for a listener. */
export function watchListener(
  listener: Listener,
  log: string[],
  hooks: { accepted?: (transport: Transport) => void; failed?: () => void } = {},
): Listener {
  listener.sink = {
    listening: () => log.push('listening'),
    accepted: transport => {
      log.push('accepted')
      hooks.accepted?.(transport)
    },
    failed: error => {
      log.push(`failed ${error.code} ${error.syscall}`)
      hooks.failed?.()
    },
    closed: () => log.push('closed'),
  }
  return listener
}

export function settle(network: MemoryNetwork): void {
  while (network.pump() > 0) {
    /* until all is quiet */
  }
}

/** An open pipe, a and b, both flowing, and an empty log. */
export function pair(
  options: MemoryNetworkOptions = {},
  hooks: Record<string, () => void> = {},
  how: ConnectOptions = {},
  to = at(4040),
) {
  const network = new MemoryNetwork(options)
  const log: string[] = []
  const made: Transport[] = []
  const listener = watchListener(network.listen(to, { backlog: 1 }), log, {
    accepted: transport => made.push(watch(transport, 'b', log)),
  })
  const a = watch(network.connect(to, how), 'a', log, hooks)
  settle(network)
  const b = made[0]!
  a.resume()
  b.resume()
  log.length = 0
  return { network, log, a, b, listener }
}

/** What was reported since the last look. */
export const taken = (log: string[]): string => log.splice(0).join(', ')
