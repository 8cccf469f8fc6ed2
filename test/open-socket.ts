/** A listening socket that another process has opened, as systemd does. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bareEnv } from './built.ts'

/**
 * Its descriptor in this process, where nothing watches it, and its port if it has one. `target`:
 * where to listen, for Node's `server.listen`. The other process has ended.
 */
export async function openSocket(
  target: object,
): Promise<{ fd: number; port: number | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  const script = join(folder, 'open.cjs')
  writeFileSync(
    script,
    `const server = require('net').createServer()
    server.listen(${JSON.stringify(target)}, () =>
      process.send({ port: server.address().port }, server._handle))`,
  )
  const child = fork(script, { execArgv: [], env: bareEnv() })
  // The handle, not a server made of it: it does not listen here.
  const [{ port }, handle] = (await once(child, 'message')) as [{ port?: number }, { fd: number }]
  child.kill('SIGKILL')
  await once(child, 'exit')
  rmSync(folder, { recursive: true })
  return { fd: handle.fd, port }
}
