/**
 * Layer 7. The rules of a WebSocketServer: its path, and the settings that it gives all its
 * connections.
 */

import type { WebSocketValues } from './websocket-settings.ts'

export interface Rules {
  /** The only path that is served; undefined: every path. */
  readonly path: string | undefined
  /** The settings that were given to the server. */
  readonly values: Partial<WebSocketValues>
}

const NONE: Rules = { path: undefined, values: {} }

const rules = new WeakMap<object, Rules>()

/** Undefined if the server has none. */
export function ruleOf(server: object): Rules | undefined {
  return rules.get(server)
}

/** Changes one of them. Undefined: the connections have their own. */
export function changeRule(server: object, name: string, value: unknown): void {
  const before = rules.get(server) ?? NONE
  if (name === 'path') return void rules.set(server, { ...before, path: value as string })
  const values: Record<string, unknown> = { ...before.values, [name]: value }
  if (value === undefined) delete values[name]
  rules.set(server, { ...before, values })
}
