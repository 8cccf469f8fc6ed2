/**
 * Bench. `npm run peers`: WebSocket with real libraries and runtimes, both ways, with and without
 * compression. They are installed into a temporary folder, which is removed at the end.
 *
 * Exit codes: 0 all is well, 1 something was not, 2 the command line is invalid.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocketClient, WebSocketConnection, WebSocketServer } from 'sluice/websocket'
import { COMMON_OPTIONS, parseArguments, UsageError } from '../src/commands/usage.ts'
import { type Peer, PEERS } from './peers/programs.ts'

const NAMES = PEERS.map(({ name }) => name).join(', ')

const HELP = `Usage: npm run peers -- [peer...]

Tries WebSocket with real peers: ${NAMES}.
A peer may have a version, as in ws@7. By default all of them, the latest.

  --help, -h   print this text

Exit codes: 0 all is well, 1 something was not, 2 the command line is invalid.
`

const TEXTS = ['hello', '', 'Grüße 😀', 'x'.repeat(70_000), 'word '.repeat(60_000)]
const BYTES = Buffer.from(Array.from({ length: 3000 }, (_, i) => i & 0xff))

/** Milliseconds that one exchange may take. */
const PATIENCE = 20_000

class Echo extends WebSocketConnection {
  override on_message(data: string | Buffer): void {
    this.send(data)
  }
}

/** Sends everything at once, and ends when all of it has come back. */
class Caller extends WebSocketClient {
  readonly #left: (string | Buffer)[] = [...TEXTS, BYTES]
  fault = ''

  override on_connect(): void {
    for (const each of this.#left) this.send(each)
  }

  override on_message(data: string | Buffer): void {
    const expected = this.#left.shift() as string | Buffer
    const isRight = typeof data === 'string' ? data === expected : BYTES.equals(data)
    if (!isRight) this.fault = 'something else came back'
    if (!isRight || this.#left.length === 0) this.end(3000, 'bye')
  }

  override on_error(error: Error): void {
    this.fault ||= error.message
    this.close()
  }
}

interface Installed {
  readonly peer: Peer
  readonly folder: string
  readonly version: string
}

async function install(spec: string, folder: string): Promise<Installed> {
  const [, name] = /^(.+?)(?:@.*)?$/.exec(spec) as unknown as [string, string]
  const peer = PEERS.find(each => each.name === name)
  if (peer === undefined) throw new UsageError(`the peers are ${NAMES}; got "${spec}"`)
  const also = name === 'faye-websocket' ? ['permessage-deflate'] : []
  const argv = [
    'install',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--loglevel=error',
    '--prefix',
    folder,
  ]
  const npm = spawn('npm', [...argv, spec, ...also], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(npm, 'close')
  if (code !== 0) throw new Error(`npm could not install ${spec}`)
  const about = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')
  return { peer, folder, version: (JSON.parse(about) as { version: string }).version }
}

/** Starts a program of the peer; ended by `kill`. */
async function start(
  { peer, folder }: Installed,
  what: 'client' | 'server',
  ...argv: string[]
): Promise<{ child: ChildProcess; said(pattern: RegExp): Promise<RegExpExecArray> }> {
  const file = join(folder, `${peer.name}-${what}.mjs`)
  await writeFile(file, peer[what])
  const [command, ...flags] = peer.command as [string, ...string[]]
  const path = `${join(folder, 'node_modules/.bin')}:${process.env['PATH']}`
  const env = { ...process.env, PATH: path }
  const child = spawn(command, [...flags, file, ...argv], { cwd: folder, env })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk))
  const said = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(text)
        if (match !== null) resolve(match)
      }
      child.stdout.on('data', look)
      child.on('close', () => reject(new Error(`it has ended: ${text.slice(0, 500)}`)))
      look()
    })
  return { child, said }
}

/** Their client, our server. Returns what was wrong. */
async function asClient(installed: Installed, deflate: boolean): Promise<string> {
  const server = await new WebSocketServer(Echo, { deflate, origins: '*' }).listen(['127.0.0.1', 0])
    .opened
  const [, port] = server.local_address as [string, number]
  const url = `ws://127.0.0.1:${port}/`
  const { child, said } = await start(installed, 'client', url, deflate ? 'deflate' : 'plain')
  try {
    const [, code] = await inTime(said(/closed (\d+)/))
    return code === '3000' ? '' : `it has closed with ${code}`
  } finally {
    child.kill('SIGKILL')
    server.close()
  }
}

/** Their server, our client. Returns what was wrong. */
async function asServer(installed: Installed, deflate: boolean): Promise<string> {
  const { child, said } = await start(installed, 'server', deflate ? 'deflate' : 'plain')
  const caller = new Caller({ deflate })
  try {
    const [, port] = await inTime(said(/READY (\d+)/))
    const reason = await inTime(caller.connect(`ws://127.0.0.1:${port}/`).closed)
    return caller.fault || (caller.close_code === 3000 ? '' : `${reason} ${caller.close_code}`)
  } finally {
    caller.close()
    child.kill('SIGKILL')
  }
}

function inTime<Of>(promise: Promise<Of>): Promise<Of> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it takes too long')), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function main(): Promise<void> {
  const { values, positionals } = parseArguments({
    allowPositionals: true,
    options: { help: COMMON_OPTIONS.help },
  })
  if (values.help === true) return void process.stdout.write(HELP)
  const specs = positionals.length > 0 ? positionals : PEERS.map(({ name }) => name)
  const folder = await mkdtemp(join(tmpdir(), 'sluice-peers-'))
  try {
    await writeFile(join(folder, 'texts.json'), JSON.stringify(TEXTS))
    for (const spec of specs) await tryAll(await install(spec, folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function tryAll(installed: Installed): Promise<void> {
  const { name, deflates } = installed.peer
  for (const side of ['client', 'server'] as const)
    for (const deflate of deflates[side] ? [false, true] : [false]) {
      const run = side === 'client' ? asClient : asServer
      const fault = await run(installed, deflate).catch((error: Error) => error.message)
      const how = `${side}${deflate ? ', compressed' : ''}`
      console.log(`${name} ${installed.version}, ${how}: ${fault || 'ok'}`)
      if (fault !== '') process.exitCode = 1
    }
}

main().catch((error: Error) => {
  const isUsage = error instanceof UsageError
  console.error(`peers: ${error.message}${isUsage ? ' (--help lists the options)' : ''}`)
  process.exitCode = isUsage ? 2 : 1
})
