/**
 * The cases of the Autobahn testsuite, both directions, all strict; of those with much traffic, a
 * few. `npm run cases` plays all of them, and also others' servers.
 */

import t from 'tap'
import { CLOSING } from '../websocket-cases/closing.ts'
import { FRAMING } from '../websocket-cases/framing.ts'
import { callEcho, startEcho } from '../websocket-cases/ours.ts'
import { callServer, serveClients } from '../websocket-cases/sides.ts'
import { traffic } from '../websocket-cases/traffic.ts'
import { UTF8 } from '../websocket-cases/utf8.ts'

const SOME = /^(9\.[1-4]\.1|9\.[56]\.6|9\.[78]\.[15]|12\.[1-5]\.5|13\.[1-7]\.(1|11))$/

const CASES = [...FRAMING, ...UTF8, ...CLOSING, ...traffic(10).filter(({ id }) => SOME.test(id))]

/** Compares the faults of all cases with none. */
function noted(): { told: (id: string, fault: string | undefined) => void; faults: string[] } {
  const left = new Set(CASES.map(({ id }) => id))
  const faults: string[] = []
  return {
    told(id, fault) {
      left.delete(id)
      if (fault !== undefined) faults.push(`${id}: ${fault}`)
    },
    get faults() {
      return [...faults, ...Array.from(left, id => `${id}: not played`)]
    },
  }
}

t.test('each case has a number of its own', async t => {
  t.equal(new Set(CASES.map(({ id }) => id)).size, CASES.length)
})

t.test('our server', async t => {
  const echo = await startEcho()
  const all = noted()
  await callServer(CASES, echo, all.told)
  await echo.stop()
  t.strictSame(all.faults, [])
})

t.test('our client', async t => {
  const all = noted()
  await serveClients(CASES, callEcho, all.told)
  t.strictSame(all.faults, [])
})
