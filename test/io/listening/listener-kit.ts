/** A listener of node:net, and unix sockets that nobody listens on any more. */

import { fork } from 'node:child_process'
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { NodeListener } from '../../../src/io/listening/listener.ts'
import type {
  ListenEndpoint,
  ListenOptions,
  SystemError,
  Transport,
} from '../../../src/transport.ts'
import { bareEnv } from '../../built.ts'

/** What a listener reported, and ways to wait for it. */
export function listen(
  at: ListenEndpoint,
  hooks: { accepted?: (transport: Transport) => void; failed?: () => void } = {},
  options: Omit<ListenOptions, 'backlog'> = {},
) {
  const listener = new NodeListener(at, { backlog: 5, ...options })
  const log: string[] = []
  const waiting = new Map<string, () => void>()
  const note = (what: string): void => {
    log.push(what)
    waiting.get(what.split(' ')[0]!)?.()
  }
  let error: SystemError | undefined
  listener.sink = {
    listening: () => note('listening'),
    accepted(transport) {
      hooks.accepted?.(transport)
      note('accepted')
    },
    failed(reason) {
      error = reason
      hooks.failed?.()
      note(`failed ${reason.code}`)
    },
    closed: () => note('closed'),
  }
  const reported = (what: string): Promise<void> =>
    new Promise(resolve => {
      if (log.some(line => line.startsWith(what))) resolve()
      else waiting.set(what, resolve)
    })
  return { listener, log, reported, message: () => error?.message }
}

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** A path that leads to a socket on which no server listens any more. */
export async function leaveStale(path: string): Promise<void> {
  const script = join(path, '..', 'stale.cjs')
  writeFileSync(
    script,
    'require("net").createServer().listen(process.argv[2], () => process.send("listening"))',
  )
  const child = fork(script, [path], { execArgv: [], env: bareEnv() })
  await new Promise(resolve => child.once('message', resolve))
  child.kill('SIGKILL')
  await new Promise(resolve => child.once('exit', resolve))
  rmSync(script)
}

/** Does something before those calls of lstat for which `is` returns true. */
export function beforeLstat(t: Test, before: (path: string) => Promise<void> | void): void {
  const { lstat } = fs.promises
  fs.promises.lstat = (async (path: string, options: object) => {
    await before(path)
    return lstat(path, options)
  }) as typeof lstat
  syncBuiltinESMExports()
  t.teardown(() => {
    fs.promises.lstat = lstat
    syncBuiltinESMExports()
  })
}
