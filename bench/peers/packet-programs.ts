/**
 * Bench. Routers and agents of packets of another make, as text. They speak the original's wire and
 * know nothing of confirmations. Each is given the shape of the packets, '2020' or 'today'.
 *
 * A router says `READY PORT`. It passes on what the original does, to the supervisor in a round of
 * 50 ms. An agent is given a URL, its id and a count: it sends so many packets, and says `done`
 * when each was answered, in order.
 */

/** One make. */
export interface Make {
  readonly name: string
  readonly command: string
  readonly flags: readonly string[]
  readonly router: string
  readonly agent: string
}

const NODE_ROUTER = `
const { WebSocketServer } = require('ws')
const today = process.argv.at(-1) === 'today'
const sockets = new Map(), statuses = {}, waiting = new Map()
let supervisor, queue = []
const toSupervisor = packet => queue.push(packet)
setInterval(() => {
  if (supervisor?.readyState !== 1) return
  for (const packet of queue.splice(0)) supervisor.send(JSON.stringify(packet))
}, 50)
function toAgent(id, packet) {
  const socket = sockets.get(id)
  if (socket?.readyState === 1) socket.send(JSON.stringify(packet))
  else waiting.set(id, [...(waiting.get(id) ?? []), packet])
}
function alive(socket, id) {
  if (id === 'mephisto') return void (supervisor = socket)
  sockets.set(id, socket)
  statuses[id] ??= 'none'
  if (today) toAgent(id, { packet_type: 'update_status', subject_id: id, data: { status: 'none' } })
  for (const packet of waiting.get(id) ?? []) toAgent(id, packet)
  waiting.delete(id)
}
function statusesOf(packet) {
  const data = { ...statuses }
  return today
    ? { packet_type: 'return_statuses', subject_id: 'mephisto', data }
    : { packet_type: 'return_status', sender_id: 'mephisto_server', receiver_id: 'mephisto', data }
}
function heard(socket, packet) {
  const { packet_type, subject_id, sender_id, receiver_id } = packet
  if (today) packet.router_incoming_timestamp = packet.router_outgoing_timestamp = Date.now() / 1000
  switch (packet_type) {
    case 'alive': return alive(socket, today ? subject_id : sender_id)
    case 'request_status':
    case 'request_statuses': return toSupervisor(statusesOf(packet))
    case 'agent_action':
    case 'mephisto_bound_live_update': return toSupervisor(packet)
    case 'request_act':
    case 'client_bound_live_update': return toAgent(today ? subject_id : receiver_id, packet)
    default: console.error('what is', packet)
  }
}
const port = Number(process.argv.at(-2))
const server = new WebSocketServer({ host: '127.0.0.1', port }, () =>
  console.log('READY ' + server.address().port))
server.on('connection', socket => socket.on('message', text => heard(socket, JSON.parse(text))))
`

const NODE_AGENT = `
const { WebSocket } = require('ws')
const [url, id, count, shape] = process.argv.slice(-4)
const socket = new WebSocket(url)
const send = (packet_type, data) => socket.send(JSON.stringify(shape === 'today'
  ? { packet_type, subject_id: id, data, client_timestamp: Date.now() / 1000 }
  : { packet_type, sender_id: id, receiver_id: 'mephisto', data }))
let next = 0
socket.on('open', () => {
  send('alive', {})
  const type = shape === 'today' ? 'mephisto_bound_live_update' : 'agent_action'
  for (let n = 0; n < count; n++) send(type, { n, update_id: id + '-' + n })
})
socket.on('message', text => {
  const { packet_type, data } = JSON.parse(text)
  if (packet_type !== 'request_act' && packet_type !== 'client_bound_live_update') return
  if (data.n !== next++) throw new Error('number ' + data.n + ' came, and not ' + (next - 1))
  if (next === Number(count)) console.log('done')
})
`

const PYTHON_ROUTER = `
import asyncio, json, sys, time, websockets
today = sys.argv[-1] == 'today'
sockets, statuses, waiting, queue, supervisor = {}, {}, {}, [], None
async def rounds():
    while True:
        await asyncio.sleep(0.05)
        while queue and supervisor is not None and supervisor.open:
            await supervisor.send(json.dumps(queue.pop(0)))
async def to_agent(name, packet):
    socket = sockets.get(name)
    if socket is not None and socket.open:
        await socket.send(json.dumps(packet))
    else:
        waiting.setdefault(name, []).append(packet)
async def alive(socket, name):
    global supervisor
    if name == 'mephisto':
        supervisor = socket
        return
    sockets[name] = socket
    statuses.setdefault(name, 'none')
    for packet in waiting.pop(name, []):
        await to_agent(name, packet)
async def heard(socket, packet):
    kind = packet['packet_type']
    if today:
        packet['router_incoming_timestamp'] = packet['router_outgoing_timestamp'] = time.time()
    if kind == 'alive':
        await alive(socket, packet['subject_id' if today else 'sender_id'])
    elif kind in ('request_status', 'request_statuses'):
        answer = {'packet_type': kind.replace('request', 'return'), 'data': dict(statuses)}
        answer.update({'subject_id': 'mephisto'} if today else
            {'sender_id': 'mephisto_server', 'receiver_id': 'mephisto'})
        queue.append(answer)
    elif kind in ('agent_action', 'mephisto_bound_live_update'):
        queue.append(packet)
    elif kind in ('request_act', 'client_bound_live_update'):
        await to_agent(packet['subject_id' if today else 'receiver_id'], packet)
    else:
        print('what is', packet, file=sys.stderr)
async def serve(socket, path=None):
    try:
        async for text in socket:
            await heard(socket, json.loads(text))
    except websockets.ConnectionClosed:
        pass
async def main():
    asyncio.ensure_future(rounds())
    async with websockets.serve(serve, '127.0.0.1', int(sys.argv[-2])) as server:
        print('READY', server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`

const PYTHON_AGENT = `
import asyncio, json, sys, time, websockets
url, name, count, shape = sys.argv[-4:]
today = shape == 'today'
def packet(kind, data):
    ends = ({'subject_id': name, 'client_timestamp': time.time()} if today else
        {'sender_id': name, 'receiver_id': 'mephisto'})
    return json.dumps({'packet_type': kind, 'data': data, **ends})
async def send(socket):
    await socket.send(packet('alive', {}))
    kind = 'mephisto_bound_live_update' if today else 'agent_action'
    for n in range(int(count)):
        await socket.send(packet(kind, {'n': n, 'update_id': f'{name}-{n}'}))
async def main():
    async with websockets.connect(url) as socket:
        asyncio.ensure_future(send(socket))
        following = 0
        async for text in socket:
            heard = json.loads(text)
            if heard['packet_type'] not in ('request_act', 'client_bound_live_update'):
                continue
            if heard['data']['n'] != following:
                raise Exception(f"number {heard['data']['n']} came, and not {following}")
            following += 1
            if following == int(count):
                print('done', flush=True)
asyncio.run(main())
`

export const MAKES: readonly Make[] = [
  { name: 'ws', command: 'node', flags: ['-e'], router: NODE_ROUTER, agent: NODE_AGENT },
  {
    name: 'websockets of Python',
    command: '/usr/bin/python3',
    flags: ['-c'],
    router: PYTHON_ROUTER,
    agent: PYTHON_AGENT,
  },
]
