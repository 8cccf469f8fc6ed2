/**
 * Bench. `npm run bench:nats`: publishing and receiving messages of 128 bytes, by `sluice/nats` and
 * by the official client of NATS, with a nats-server of this machine. The official client is
 * installed into a temporary folder, which is removed at the end.
 */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OFFICIAL = '@nats-io/transport-node@3.4.0'

/** Messages of one run, and runs of each client, one after the other. */
const MESSAGES = 400_000
const ROUNDS = 5

const CHILD = fileURLToPath(new URL('./nats/child.js', import.meta.url))

/** Starts a server on a free port, and resolves to both. */
async function serve(): Promise<{ port: string; stop(): void }> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  for await (const chunk of server.stderr) {
    said += chunk
    const [, port] = /client connections on \S+:(\d+)/.exec(said) ?? []
    if (port === undefined || !said.includes('Server is ready')) continue
    server.stderr.resume()
    return { port, stop: () => server.kill() }
  }
  throw new Error(`nats-server has ended: ${said}`)
}

/** One run: the processor time of a message, in µs. */
function run(argv: readonly string[]): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, [CHILD, ...argv])
  if (status !== 0) throw new Error(String(stderr))
  return Number(String(stdout))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-nats-'))
try {
  const install = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, OFFICIAL]
  spawnSync('npm', install, { stdio: 'inherit' })
  const name = OFFICIAL.replace(/@[^@]*$/, '')
  const root = join(folder, 'node_modules', name)
  const { default: manifest } = await import(pathToFileURL(join(root, 'package.json')).href, {
    with: { type: 'json' },
  })
  const module = pathToFileURL(join(root, manifest.main)).href
  const { port, stop } = await serve()
  const times = { sluice: [] as number[], official: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    times.sluice.push(run(['sluice', port, String(MESSAGES)]))
    times.official.push(run(['official', port, String(MESSAGES), module]))
  }
  stop()
  const [ours, theirs] = [median(times.sluice), median(times.official)]
  console.log(`sluice/nats    ${ours.toFixed(2)} µs of processor time a message`)
  console.log(`${OFFICIAL}    ${theirs.toFixed(2)} µs`)
  console.log(`times as good  ${(theirs / ours).toFixed(2)}`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
