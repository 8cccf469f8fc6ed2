/**
 * npm run cases:redis: sends the commands of Redis' own test scripts through `call`, in RESP3 and
 * RESP2, to the redis-server or valkey-server that is installed. It compares what goes out and each
 * reply with what stands on the wire. The scripts are fetched from Debian into a temporary folder,
 * so it is no part of npm test.
 *
 * The exit code is 1 if anything differs.
 */

import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import { RedisClient } from '../../src/protocols/redis/client.ts'
import { RedisError } from '../../src/protocols/redis/errors.ts'
import { RedisServer } from '../redis-server.ts'
import { commandsOf } from './scripts.ts'
import { Said, tap, valuesIn } from './tap.ts'

const SOURCE = 'https://deb.debian.org/debian/pool/main/r/redis/redis_7.0.15.orig.tar.gz'
const SHA256 = '4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982'

/** Replies of gigabytes: it tries what bounds them. */
const HUGE = 'obuf-limits.tcl'

const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-cases-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

async function fetchCommands(): Promise<string[][]> {
  const archive = Buffer.from(await (await fetch(SOURCE)).arrayBuffer())
  if (createHash('sha256').update(archive).digest('hex') !== SHA256)
    throw new Error(`${SOURCE} is not what it was`)
  writeFileSync(join(folder, 'redis.tar.gz'), archive)
  execFileSync('tar', ['-xzf', 'redis.tar.gz', '--strip-components=1'], { cwd: folder })
  const scripts = join(folder, 'tests/unit')
  const names = readdirSync(scripts, { recursive: true }) as string[]
  return names
    .filter(name => name.endsWith('.tcl') && name !== HUGE)
    .flatMap(name => commandsOf(readFileSync(join(scripts, name), 'utf8')))
}

/** What `call` gives, or the error that it rejects with; errors as the server has said them. */
function plain(reply: unknown): unknown {
  if (reply instanceof RedisError) return new Said(reply.message)
  if (Array.isArray(reply)) return reply.map(plain)
  if (reply instanceof Set) return new Set([...reply].map(plain))
  if (reply instanceof Map)
    return new Map([...reply].map(([key, value]) => [plain(key), plain(value)]))
  return reply
}

/** Returns how many commands differ. */
async function play(commands: readonly string[][], protocol: 2 | 3): Promise<number> {
  const redis = await new RedisServer().start()
  const path = join(redis.folder, 'tap.sock')
  const { sent, received, server } = await tap(path, redis.path)
  const client = await new RedisClient({ protocol }).connect(`redis+unix://${path}`).ready
  sent.length = received.length = 0
  const replies = await Promise.all(
    commands.map(words => client.call(...(words as [string])).catch((error: unknown) => error)),
  )
  const [requests, values] = [sent, received].map(all => valuesIn(Buffer.concat(all)))
  let faults = 0
  commands.forEach((words, i) => {
    const ours = plain(replies[i])
    if (isDeepStrictEqual(requests![i], words) && isDeepStrictEqual(values![i], ours)) return
    if (++faults <= 20)
      console.log(words.join(' '), inspect({ sent: requests![i], ours, wire: values![i] }))
  })
  console.log(`RESP${protocol}: ${commands.length} commands, ${faults} differ`)
  client.close()
  server.close()
  await redis.remove()
  return faults
}

const commands = await fetchCommands()
console.log(new Set(commands.map(([name]) => name!.toUpperCase())).size, 'commands by name')
if ((await play(commands, 3)) + (await play(commands, 2)) > 0) process.exitCode = 1
