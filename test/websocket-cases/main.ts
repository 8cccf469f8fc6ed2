/**
 * npm run cases: plays the cases of the Autobahn testsuite with our ends, or with others.
 *
 *     npm run cases                              our server and our client, everything
 *     npm run cases -- 6. 7.1.1 --messages 100   these, or all that begin like that
 *     npm run cases -- --server ws://host:port/  a server that echoes messages
 *
 * The exit code is 1 if anything was wrong.
 *
 * Everything takes long, and says nothing meanwhile: 12 minutes for our server and 24 for our
 * client on two cores with a load of 15. Nearly all of it is zlib: groups 12 and 13 compress about
 * 10 GB in each direction, on both sides.
 */

import { parseArgs } from 'node:util'
import type { Case } from './case.ts'
import { CLOSING } from './closing.ts'
import { FRAMING } from './framing.ts'
import { startEcho, callEcho } from './ours.ts'
import { callServer, serveClients, type Told } from './sides.ts'
import { traffic } from './traffic.ts'
import { UTF8 } from './utf8.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { server: { type: 'string' }, messages: { type: 'string', default: '1000' } },
})

const all = [...FRAMING, ...UTF8, ...CLOSING, ...traffic(Number(values.messages))]
const cases = all.filter(
  ({ id }) => positionals.length === 0 || positionals.some(start => `${id}.`.startsWith(start)),
)
if (cases.length === 0 || !(Number(values.messages) > 0)) {
  console.error('cases: the beginnings of numbers, such as 6.4; --messages is a positive number')
  process.exit(2)
}

async function run(name: string, direction: (told: Told) => Promise<void>): Promise<void> {
  const begun = performance.now()
  let faults = 0
  const left = new Set(cases.map(({ id }) => id))
  await direction((id, fault) => {
    left.delete(id)
    if (fault === undefined) return
    faults++
    console.log(`${name}: case ${id}: ${fault}`)
  })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (left.size > 0) console.log(`${name}: not played: ${[...left].join(' ')}`)
  console.log(`${name}: ${cases.length} cases in ${seconds} s, ${faults + left.size} faults`)
  if (faults + left.size > 0) process.exitCode = 1
}

async function runAll(chosen: readonly Case[]): Promise<void> {
  if (values.server !== undefined) {
    const { hostname, port, pathname } = new URL(values.server)
    const address = { host: hostname, port: Number(port || 80), path: pathname }
    return run(values.server, told => callServer(chosen, address, told))
  }
  const echo = await startEcho()
  await run('our server', told => callServer(chosen, echo, told))
  await echo.stop()
  await run('our client', told => serveClients(chosen, callEcho, told))
}

await runAll(cases)
