/**
 * Layer 2. The path of a unix socket: how a server gets its name, and gives it back.
 *
 * hiddenName → (the server is bound to that name) → takeName → … → releaseName
 *
 * A socket is bound under a hidden name, and then gets its own one, for two reasons:
 * 1. When libuv closes a socket it removes the name that it was bound to, whatever is there by
 *    then. So an old server would remove the path of its successor. Here we remove the own name,
 *    and only if it still leads to our socket.
 * 2. The name is taken over from a crashed server in one step, `rename`: at no moment does it lead
 *    nowhere.
 */

import { Buffer } from 'node:buffer'
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { PATH_MAX } from '../../core/address.ts'
import { codeOf } from '../../errors.ts'
import type { SystemError } from '../../transport.ts'

/**
 * A free name in the same folder. If there is no room for another name, only the last letter
 * differs: libuv cuts a path that is too long, without an error.
 */
export function hiddenName(path: string): string {
  const name = join(dirname(path), `.${Math.random().toString(36).slice(2, 9)}`)
  return Buffer.byteLength(name) <= PATH_MAX
    ? name
    : path.slice(0, -1) + (path.endsWith('~') ? '_' : '~')
}

/**
 * Gives the socket its name. A name that exists is taken over only from a socket on which no server
 * listens. If two servers find the same dead socket at the same instant, both may take the name,
 * and the later one keeps it.
 *
 * What gives the name comes last and waits for nothing: a peer may connect at once, and the
 * listener must be open before it is accepted.
 */
export async function takeName(hidden: string, path: string): Promise<void> {
  try {
    linkSync(hidden, path)
    rmSync(hidden, { force: true })
    return
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const found = await lstat(path, { bigint: true })
  if (!found.isSocket()) {
    const what = found.isDirectory() ? 'a folder, not a socket' : 'a file that is not a socket'
    throw inUse(path, `there is ${what}`)
  }
  if (await isAlive(path)) throw inUse(path, 'another server listens there')
  const now = await lstat(path, { bigint: true })
  if (now.ino !== found.ino) throw inUse(path, 'another server has just begun to listen there')
  renameSync(hidden, path)
}

/**
 * Removes the name, if it still leads to the socket with that inode. This happens in the call, so
 * that a program that exits right after leaves nothing behind.
 */
export function releaseName(path: string, inode: bigint): void {
  try {
    if (lstatSync(path, { bigint: true }).ino === inode) rmSync(path)
  } catch {
    // It was removed already, or we may not remove it. Nothing of ours is lost.
  }
}

/** Does a server listen at the path? Only a refusal means that none does. */
function isAlive(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createConnection({ path })
    probe.once('connect', () => resolve(true))
    probe.once('error', error => resolve(codeOf(error) !== 'ECONNREFUSED'))
    probe.once('connect', () => probe.destroy())
  })
}

function inUse(path: string, why: string): SystemError {
  return Object.assign(new Error(`listen EADDRINUSE: ${why}: ${path}`), {
    code: 'EADDRINUSE',
    syscall: 'listen',
  })
}
