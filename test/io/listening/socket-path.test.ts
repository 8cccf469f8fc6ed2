/** The paths of listeners: taken, left over, and given back. */

import fs, { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { takeName } from '../../../src/io/listening/socket-path.ts'
import { beforeLstat, folder, leaveStale, listen } from './listener-kit.ts'

t.test('on a path that somebody else has removed, or put another file at', async t => {
  for (const replace of [false, true]) {
    const path = join(folder(t), 'socket')
    const { listener, reported } = listen({ kind: 'unix', path })
    await reported('listening')
    rmSync(path)
    if (replace) writeFileSync(path, 'not ours')
    listener.close()
    await reported('closed')
    t.equal(existsSync(path), replace)
  }
})

t.test('on a path with no room for another name', async t => {
  for (const name of ['s', '~']) {
    const base = folder(t)
    const deep = join(base, 'd'.repeat(107 - base.length - 3))
    fs.mkdirSync(deep)
    const path = join(deep, name)
    t.equal(path.length, 107)
    const { listener, reported } = listen({ kind: 'unix', path })
    await reported('listening')
    t.same(readdirSync(deep), [name])
    listener.close()
    await reported('closed')
  }
})

t.test('whose path is taken', async t => {
  const place = folder(t)
  const path = join(place, 'socket')
  const first = listen({ kind: 'unix', path })
  await first.reported('listening')
  const second = listen({ kind: 'unix', path })
  await second.reported('closed')
  t.same(second.log, ['failed EADDRINUSE', 'closed'])
  t.equal(second.message(), `listen EADDRINUSE: another server listens there: ${path}`)
  first.listener.close()
  await first.reported('closed')
  writeFileSync(path, 'a file')
  const third = listen({ kind: 'unix', path })
  await third.reported('closed')
  t.match(third.message(), /there is a file that is not a socket/)
  const fourth = listen({ kind: 'unix', path: place })
  await fourth.reported('closed')
  t.match(fourth.message(), /there is a folder/)
  const fifth = listen({ kind: 'unix', path: join(path, 'below') })
  await fifth.reported('closed')
  t.match(fifth.log, [/^failed E/, 'closed'])
  t.same(readdirSync(place), ['socket'])
})

t.test('whose path is left over', async t => {
  const place = folder(t)
  const path = join(place, 'socket')
  await leaveStale(path)
  const { listener, reported } = listen({ kind: 'unix', path })
  await reported('listening')
  t.same(readdirSync(place), ['socket'])
  listener.close()
  await reported('closed')
  t.same(readdirSync(place), [])
})

t.test('whose path another one takes over in the same moment', async t => {
  const place = folder(t)
  const [path, other] = [join(place, 'socket'), join(place, 'other')]
  await leaveStale(path)
  await leaveStale(other)
  let looks = 0
  beforeLstat(t, asked => {
    if (asked === path && ++looks === 2) fs.renameSync(other, path)
  })
  const { log, reported, message } = listen({ kind: 'unix', path })
  await reported('closed')
  t.same(log, ['failed EADDRINUSE', 'closed'])
  t.match(message(), /another server has just begun to listen there/)
})

t.test('of a socket that is gone before it has its name', async t => {
  const place = folder(t)
  const names = [join(place, 'hidden'), join(place, 'socket')] as const
  await t.rejects(takeName(...names), { code: 'ENOENT' })
  t.same(readdirSync(place), [])
})
