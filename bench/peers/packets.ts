/**
 * Bench. `npm run peers:packets`: a supervisor and agents with a router of another make, and a
 * router and a supervisor with agents of another make: `ws` of npm, which is installed in a
 * temporary folder, and `websockets` of Python. In both shapes of packets.
 *
 * Exit codes: 0 all is well, 1 something was not.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Packet,
  PacketAgent,
  PacketRouter,
  type Run,
  Supervisor,
  WebsocketChannel,
} from 'sluice/packets'
import { type Make, MAKES } from './packet-programs.ts'

type Shape = '2020' | 'today'

const AGENTS = 3
const EACH = 300

/** Milliseconds that one try may take. */
const PATIENCE = 30_000

const channel = { backoff: { first: 50, longest: 500 }, on_error() {} }

const folder = mkdtempSync(join(tmpdir(), 'sluice-peers-packets-'))
const running = new Set<ChildProcess>()

/** Starts a program; resolves with what the pattern has found of what it says. */
async function start(
  { command, flags }: Make,
  program: string,
  pattern: RegExp,
  ...argv: string[]
): Promise<{ child: ChildProcess; found: RegExpExecArray }> {
  const child = spawn(command, [...flags, program, ...argv], { cwd: folder })
  running.add(child)
  let said = ''
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    const hear = (text: Buffer): void => {
      said += text
      const match = pattern.exec(said)
      if (match !== null) resolve(match)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('close', () => reject(new Error(`it has ended: ${said.slice(-500)}`)))
  })
  return { child, found }
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child)
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/** A supervisor that answers each packet with its number. */
async function supervise(shape: Shape, url: string): Promise<{ run: Run; supervisor: Supervisor }> {
  const supervisor = new Supervisor({ shape, on_error() {} })
  const answer = ({ sender_id, subject_id, data }: Packet, run: Run): void => {
    const fields =
      shape === 'today'
        ? { packet_type: 'client_bound_live_update', subject_id: subject_id! }
        : { packet_type: 'request_act', sender_id: 'mephisto', receiver_id: sender_id! }
    run.send({ ...fields, data })
  }
  const run = await supervisor.register_job({
    architect: {
      get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, url, channel)],
    },
    handlers: { agent_action: answer, mephisto_bound_live_update: answer },
  })
  return { run, supervisor }
}

/** Our agent: sends packets, and resolves when each is answered, in order. */
function act(shape: Shape, id: string, url: string): { agent: PacketAgent; done: Promise<void> } {
  let next = 0
  let finish: () => void = () => {}
  let fail: (error: Error) => void = () => {}
  const done = new Promise<void>((resolve, reject) => ([finish, fail] = [resolve, reject]))
  const on_packet = ({ type, data }: Packet): void => {
    if (type === 'update_status') return
    if (data.n !== next++) fail(new Error(`${id}: number ${data.n} came, and not ${next - 1}`))
    if (next === EACH) finish()
  }
  const agent = new PacketAgent(id, url, { shape, channel, on_packet, on_error() {} }).open()
  for (let n = 0; n < EACH; n++)
    agent.send(shape === 'today' ? 'mephisto_bound_live_update' : 'agent_action', {
      n,
      update_id: `${id}-${n}`,
    })
  return { agent, done }
}

/** Their router. It is killed when all have come, and others come when it is there again. */
async function theirRouter(make: Make, shape: Shape): Promise<void> {
  const router = (port: string) => start(make, make.router, /READY (\d+)/, port, shape)
  const first = await router('0')
  const port = first.found[1] as string
  const url = `ws://127.0.0.1:${port}`
  const { run, supervisor } = await supervise(shape, url)
  const people: { agent: PacketAgent; done: Promise<void> }[] = []
  const come = async (name: string): Promise<void> => {
    const some = Array.from({ length: AGENTS }, (_, n) => act(shape, `${name}-${n}`, url))
    people.push(...some)
    await Promise.all(some.map(({ done }) => done))
  }
  await come('early')
  await end(first.child)
  const second = await router(port)
  await come('late')
  const modes = new Set([run.stats()[0]!.mode, ...people.map(({ agent }) => agent.mode)])
  for (const { agent } of people) agent.close()
  await supervisor.shutdown({ timeout: 0 })
  await end(second.child)
  if ([...modes].join() !== 'plain') throw new Error(`the modes are ${[...modes].join()}`)
}

/** Their agents, our router. */
async function theirAgents(make: Make, shape: Shape): Promise<void> {
  const router = new PacketRouter({ on_error() {} })
  const url = await router.listen('ws://127.0.0.1:0/socket;mode=server')
  const { supervisor } = await supervise(shape, url)
  // What follows is for message channels.
  const [address] = url.split(';') as [string]
  const come = (id: string) => start(make, make.agent, /done/, address, id, String(EACH), shape)
  const all = await Promise.all(Array.from({ length: AGENTS }, (_, n) => come(`theirs-${n}`)))
  for (const { child } of all) await end(child)
  await supervisor.shutdown({ timeout: 0 })
  await router.close()
}

async function inTime(work: Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it takes too long')), PATIENCE)
  })
  try {
    await Promise.race([work, late])
    return 'ok'
  } catch (error) {
    process.exitCode = 1
    return (error as Error).message
  } finally {
    clearTimeout(timer)
  }
}

try {
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, 'ws']
  execFileSync('npm', install, { stdio: 'ignore' })
  for (const make of MAKES)
    for (const shape of ['2020', 'today'] as const) {
      console.log(`router of ${make.name}, ${shape}: ${await inTime(theirRouter(make, shape))}`)
      console.log(`agents of ${make.name}, ${shape}: ${await inTime(theirAgents(make, shape))}`)
    }
} finally {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
