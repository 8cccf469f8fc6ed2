/** Why a server cannot listen. How a listener comes to ask: listener.test.ts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { descriptorFault, hostFault, pathFault } from '../../../src/io/listening/listen-fault.ts'
import type { SystemError } from '../../../src/transport.ts'

function systemError(code: string): SystemError {
  return Object.assign(new Error(`listen ${code}: /tmp/.hidden`), { code })
}

// libuv says EACCES for a folder that is not there.
t.test('a path: what is wrong with its folder', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const rows: [path: string, from: string, code: string, why: string][] = [
    [join(folder, 'none', 's'), 'EACCES', 'ENOENT', `there is no folder ${join(folder, 'none')}`],
    [join(file, 's'), 'EACCES', 'ENOTDIR', `there is a file in place of the folder ${file}`],
    [join(file, 'x', 's'), 'EACCES', 'ENOTDIR', 'there is a file in place of the folder'],
    [join(folder, 's'), 'EACCES', 'EACCES', `no permission in the folder ${folder}`],
    [join(folder, 's'), 'EROFS', 'EROFS', `nothing can be written in the folder ${folder}`],
  ]
  for (const [path, from, code, why] of rows) {
    const error = systemError(from)
    const told = await pathFault(error, path)
    t.match(told, { code, syscall: 'listen', cause: error })
    t.ok(told.message.startsWith(`listen ${code}: ${why}`), told.message)
    t.ok(told.message.endsWith(`: ${path}`))
  }
})

t.test('what has another reason stays as it is', async t => {
  const error = systemError('EMFILE')
  t.equal(await pathFault(error, join(tmpdir(), 's')), error)
  t.equal(await pathFault(error, '\0abstract'), error)
})

// Bun fails to listen at a host that does not exist, and does not say why.
t.test('a host', async t => {
  const error = new Error('Failed to listen')
  t.match(await hostFault(error, 'nowhere.invalid'), { code: /^(ENOTFOUND|EAI_AGAIN)$/ })
  t.equal(await hostFault(error, '127.0.0.1'), error)
})

t.test('a descriptor', async t => {
  t.match(descriptorFault(systemError('EINVAL'), 7), {
    code: 'EINVAL',
    message: 'listen EINVAL: the descriptor is no socket that can listen: 7',
  })
  // Two servers with the same { fd } were told that it is no socket.
  t.match(descriptorFault(systemError('EEXIST'), 7), {
    code: 'EEXIST',
    message: 'listen EEXIST: this process listens on the descriptor already: 7',
  })
})
