/**
 * Agents, a router and a supervisor over real sockets: the router in a process of its own that is
 * killed, and one of another make, in Python, which speaks as the original does.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { WebsocketChannel } from '../../src/packets/channel/websocket-channel.ts'
import { PacketAgent } from '../../src/packets/packet-agent.ts'
import { Supervisor } from '../../src/packets/supervisor/supervisor.ts'
import { bareNode, built } from '../built.ts'
import { rounds } from '../core/oracle.ts'
import { until } from '../kit.ts'
import { sendBothWays } from '../packets/kit.ts'

const LIB = pathToFileURL(join(built(), 'packets/index.js')).href

/** Prints its port when it listens. */
const ROUTER = `
import { PacketRouter } from '${LIB}'
const url = await new PacketRouter({ on_error() {} }).listen(process.argv[1])
console.log(/:(\\d+)\\//.exec(url)[1])
process.stdin.resume().on('end', () => process.exit())
`

/** The original's, as far as a supervisor sees it. */
const PYTHON = `
import asyncio, json, websockets
members = {}
async def serve(socket, path=None):
    async for text in socket:
        packet = json.loads(text)
        kind, sender = packet['packet_type'], packet['sender_id']
        if kind == 'alive':
            members[sender] = socket
        elif kind == 'request_status':
            status = {name: 'connected' for name in members if name != 'mephisto'}
            await socket.send(json.dumps({'packet_type': 'return_status',
                'sender_id': 'mephisto_server', 'receiver_id': 'mephisto', 'data': status}))
        elif packet['receiver_id'] in members:
            await members[packet['receiver_id']].send(text)
async def main():
    async with websockets.serve(serve, '127.0.0.1', 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`

interface Started {
  readonly child: ChildProcess
  readonly port: string
}

async function start(command: string, argv: string[]): Promise<Started> {
  const child = spawn(command, argv, { stdio: ['pipe', 'pipe', 'ignore'] })
  t.teardown(() => void child.kill('SIGKILL'))
  const [port] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return { child, port }
}

const startRouter = (port: string): Promise<Started> =>
  start(
    ...bareNode(['--input-type=module', '-e', ROUTER, `ws://127.0.0.1:${port}/socket;mode=server`]),
  )

const channel = {
  backoff: { first: 20, longest: 100 },
  lost: { max_outage: Infinity },
  on_error: (): void => {},
}

/** A supervisor and agents; each writes down the numbers that it gets. */
async function people(url: string, count: number) {
  const acts = new Map<string, number[]>()
  const tells = new Map<string, number[]>()
  const supervisor = new Supervisor()
  const run = await supervisor.register_job({
    architect: {
      get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, url, channel)],
    },
    handlers: {
      act: ({ sender_id, data }) => void acts.get(sender_id!)!.push((data as { n: number }).n),
    },
  })
  const agents = Array.from({ length: count }, (_, index) => {
    const id = `agent${index}`
    acts.set(id, [])
    tells.set(id, [])
    const on_packet = ({ data }: { data: { n: number } }): void => void tells.get(id)!.push(data.n)
    return new PacketAgent(id, url, { channel, on_packet }).open()
  })
  await Promise.all(agents.map(({ opened }) => opened))
  const total = (of: Map<string, number[]>): number =>
    [...of.values()].reduce((sum, list) => sum + list.length, 0)
  const end = async (): Promise<void> => {
    for (const agent of agents) agent.close()
    await supervisor.shutdown({ timeout: 100 })
  }
  return { run, agents, acts, tells, total, end }
}

t.test(`killed in the middle of ${rounds(2000)} packets each way`, async t => {
  const AGENTS = 4
  const EACH = rounds(500)
  let router = await startRouter('0')
  const { port } = router
  const { run, agents, acts, tells, total, end } = await people(
    `ws://127.0.0.1:${port}/socket`,
    AGENTS,
  )
  sendBothWays(run, agents, EACH)
  for (const part of [0.25, 0.6]) {
    await until(() => total(acts) > AGENTS * EACH * part)
    router.child.kill('SIGKILL')
    await once(router.child, 'exit')
    router = await startRouter(port)
  }
  await Promise.all(agents.map(agent => agent.idle()))
  await until(() => run.stats()[0]!.queued === 0)
  const all = Array.from({ length: EACH }, (_, n) => n)
  for (const list of [...acts.values(), ...tells.values()])
    t.strictSame(list, all, 'none lost, none doubled, in order')
  await end()
  router.child.kill('SIGKILL')
})

t.test('a router of another make', async t => {
  const { port, child } = await start('/usr/bin/python3', ['-c', PYTHON])
  const { run, agents, acts, tells, total, end } = await people(`ws://127.0.0.1:${port}`, 2)
  sendBothWays(run, agents, 100)
  await until(() => total(acts) === 200 && total(tells) === 200)
  const all = Array.from({ length: 100 }, (_, n) => n)
  for (const list of [...acts.values(), ...tells.values()]) t.strictSame(list, all)
  t.strictSame(
    [run.stats()[0]!, ...agents].map(({ mode }) => mode),
    ['plain', 'plain', 'plain'],
  )
  await end()
  child.kill('SIGKILL')
})
