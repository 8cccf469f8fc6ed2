/**
 * Layer 2. Why a server cannot listen, in words that help. Node's own speak of a hidden name that
 * nobody gave (see listener.ts), and libuv reports a folder that does not exist as EACCES. Bun says
 * that it failed, whatever it is, for a host that does not exist.
 */

import { lookup } from 'node:dns/promises'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../../errors.ts'
import type { SystemError } from '../../transport.ts'

/** What the codes mean for a folder in which a socket cannot be made. */
const FOLDERS: Readonly<Record<string, string>> = {
  EACCES: 'no permission in the folder',
  EROFS: 'nothing can be written in the folder',
  ENOENT: 'there is no folder',
  ENOTDIR: 'there is a file in place of the folder',
}

/** For a unix socket at this path. The error that came is the `cause`. */
export async function pathFault(error: SystemError, path: string): Promise<SystemError> {
  if (path.startsWith('\0')) return error
  const folder = dirname(path)
  const code = (await faultOf(folder)) ?? codeOf(error)
  const why = FOLDERS[code]
  return why === undefined ? error : fault(error, code, `${why} ${folder}: ${path}`)
}

/** Why this is no folder that can be entered; `undefined` if it is one. */
async function faultOf(folder: string): Promise<string | undefined> {
  try {
    return (await stat(folder)).isDirectory() ? undefined : 'ENOTDIR'
  } catch (error) {
    return codeOf(error)
  }
}

/** For a descriptor that was given. */
export function descriptorFault(error: SystemError, fd: number): SystemError {
  const code = codeOf(error)
  const why =
    code === 'EEXIST'
      ? 'this process listens on the descriptor already'
      : 'the descriptor is no socket that can listen'
  return fault(error, code, `${why}: ${fd}`)
}

/** For a host, if the error has no code. */
export async function hostFault(error: SystemError, host: string): Promise<SystemError> {
  return lookup(host).then(
    () => error,
    (unknown: SystemError) => unknown,
  )
}

function fault(cause: SystemError, code: string, why: string): SystemError {
  const error = new Error(`listen ${code}: ${why}`, { cause })
  return Object.assign(error, { code, syscall: 'listen' })
}
