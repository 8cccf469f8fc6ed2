/**
 * Rooms with peers of another make: the sample server of the protocol in Python, and a client in
 * Python of our server. Each of them is killed in the middle.
 */

import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { Channel } from '../../src/rooms/client/node-channel.ts'
import { RoomServer } from '../../src/rooms/server/room-server.ts'
import { bareNode, built } from '../built.ts'
import { until } from '../kit.ts'
import { Inbox } from '../rooms/kit.ts'
import { isHere, program, saying } from '../websocket-peers.ts'
import { RELAYS } from './relay-servers.ts'

const PYTHON = '/usr/bin/python3'
const skip = !isHere(PYTHON, '-c', 'import websockets') && 'python3-websockets is not installed'

// ---- a server -----------------------------------------------------------------------------------

/** The protocol as its sample has it. It says its port, and what each client sends. */
const SERVER = `
import asyncio, errno, itertools, json, sys, websockets
rooms = {}
numbers = itertools.count(1)
async def serve(socket):
    number = next(numbers)
    async for message in socket:
        print(number, message, flush=True)
        try:
            data = json.loads(message)
        except json.JSONDecodeError:
            await socket.send(f"Echo: {message}")
            continue
        room = data.get("room")
        if data.get("type") == "_join":
            rooms.setdefault(room, set()).add(socket)
            await socket.send(json.dumps({"status": "joined", "room": room}))
        elif data.get("type") == "_leave":
            rooms.get(room, set()).discard(socket)
            await socket.send(json.dumps({"status": "left", "room": room}))
        elif "_room" in data:
            for client in list(rooms.get(data["_room"], ())):
                if client != socket:
                    await client.send(json.dumps(data))
        else:
            await socket.send(json.dumps({"echo": data}))
    for members in rooms.values():
        members.discard(socket)
async def main():
    while True:
        try:
            server = await websockets.serve(serve, "127.0.0.1", int(sys.argv[1]))
            break
        except OSError as error:
            # Somebody else may have that port for a moment.
            if error.errno != errno.EADDRINUSE:
                raise
            await asyncio.sleep(0.05)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()
asyncio.run(main())
`

async function sample(t: Test, port = 0) {
  const child = program(t, PYTHON, ['-c', SERVER, String(port)])
  const listening = /^port (\d+)\n/
  await until(() => listening.test(child.said()) || child.exitCode !== null)
  const found = listening.exec(child.said())
  if (found === null) throw new Error(child.said())
  /** What each client has sent, by its number. */
  const got = (): Map<string, string[]> => {
    const texts = new Map<string, string[]>()
    for (const [, number, text] of child.said().matchAll(/^(\d+) (.*)\n/gm))
      texts.set(number!, [...(texts.get(number!) ?? []), text!])
    return texts
  }
  return { port: Number(found[1]), got, kill: () => child.kill('SIGKILL') }
}

t.test('the sample server in Python', { skip, timeout: 60_000 }, async t => {
  const engine = new Engine({ log: message => t.fail(message) })
  const first = await sample(t)
  const quick = { engine, auto_reconnect: true, reconnect_delay: 10, max_reconnect_delay: 50 }
  const [ann, bob] = [1, 2].map(() => new Channel(`ws://127.0.0.1:${first.port}/`, quick)) as [
    Channel,
    Channel,
  ]
  for (const each of [ann, bob]) {
    each.on_error(() => {})
    await each.connect()
  }
  const [anns, bobs] = [new Inbox(ann), new Inbox(bob)]
  await ann.send('hello')
  t.equal(await anns.next(), 'Echo: hello')
  await ann.send({ text: 'Grüße 😀' })
  t.same(await anns.next(), { echo: { text: 'Grüße 😀' } })
  for (const [each, inbox] of [
    [ann, anns],
    [bob, bobs],
  ] as const) {
    await each.join('tea')
    t.same(await inbox.next(), { status: 'joined', room: 'tea' })
  }
  const inTea = new Inbox(bob, 'tea')
  await ann.send_to('tea', { text: 'one' })
  t.strictSame([await inTea.next(), await bobs.next()], [{ text: 'one' }, { text: 'one' }])
  await bob.leave('tea')
  t.same(await bobs.next(), { status: 'left', room: 'tea' })
  await ann.send_to('tea', { text: 'two' })
  await bob.join('tea')
  t.same(await bobs.next(), { status: 'joined', room: 'tea' }, 'not what was said before')

  const lost = Promise.all([ann, bob].map(each => new Promise(done => each.on_close(done))))
  first.kill()
  await lost
  await ann.join('coffee')
  await ann.send('waits')
  await ann.send_to('tea', { text: 'waits, too' })
  ann.on_open(() => ann.send('from the handler'))
  const second = await sample(t, first.port)
  t.same(await bobs.next(), { status: 'joined', room: 'tea' }, 'it has joined again')
  await until(() => [...second.got().values()].some(texts => texts.length === 5))
  t.same(
    [...second.got().values()].find(texts => texts.length > 1),
    [
      '{"type":"_join","room":"tea"}',
      '{"type":"_join","room":"coffee"}',
      'waits',
      '{"text":"waits, too","_room":"tea"}',
      'from the handler',
    ],
  )
  await ann.send_to('tea', { text: 'again' })
  for (let message; message?.text !== 'again';) message = await bobs.next()
  await Promise.all([ann.close(), bob.close()])
  await engine.stop({ timeout: 1000 })
})

// ---- a client -----------------------------------------------------------------------------------

/** Goes on where it was. It says what it gets: a number, the number in the history, its client. */
const CLIENT = `
import asyncio, json, sys, websockets
url, seq, client = sys.argv[1], int(sys.argv[2]), sys.argv[3]
async def life():
    global seq, client
    async with websockets.connect(url) as socket:
        join = {"type": "_join", "room": "tea", "name": "Python", "seq": seq, "client": client}
        await socket.send(json.dumps(join))
        async for text in socket:
            message = json.loads(text)
            if message.get("status") == "gap":
                print("gap", flush=True)
            if message.get("status") in ("joined", "seen"):
                seq, client = message["seq"], message.get("client", client)
            if "_room" in message:
                seq = message["_seq"]
                print(message["n"], seq, client, flush=True)
                await socket.send(json.dumps({"_room": "tea", "answer": message["n"]}))
async def main():
    while True:
        try:
            await life()
        except (OSError, websockets.WebSocketException):
            pass
        await asyncio.sleep(0.02)
asyncio.run(main())
`

function python(t: Test, url: string, seq = '0', client = '') {
  const child = program(t, PYTHON, ['-c', CLIENT, url, seq, client])
  /** What it has said in whole lines, by their words. */
  const got = (): string[][] =>
    [...child.said().matchAll(/^(.*)\n/gm)].map(([, line]) => line!.split(' '))
  return { got, numbers: () => got().map(([n]) => Number(n)), kill: () => child.kill('SIGKILL') }
}

const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

t.test('a client in Python is killed', { skip, timeout: 60_000 }, async t => {
  const engine = new Engine({ log: message => t.fail(message) })
  const answers: unknown[] = []
  const server = new RoomServer({ engine, history: true, presence: true })
  server.on_room_message = (_member, _room, { answer }) => void answers.push(answer)
  await server.listen('ws://127.0.0.1:0/').opened
  // What follows is for our message channels.
  const url = server.client_urls[0]!.replace(/;.*/, '')
  const say = (from: number, to: number): void => {
    for (const n of upTo(from, to)) server.emit('tea', { n })
  }
  say(1, 3)
  const first = python(t, url)
  await until(() => first.got().length === 3)
  say(4, 6)
  await until(() => answers.length === 6)
  t.same([first.numbers(), answers], [upTo(1, 6), upTo(1, 6)])
  t.same(server.names('tea'), ['Python'])
  const [, seq, client] = first.got().at(-1) as [string, string, string]
  first.kill()
  await until(() => server.members().length === 0)
  say(7, 9)
  const second = python(t, url, seq, client)
  await until(() => answers.length === 9)
  say(10, 12)
  await until(() => answers.length === 12)
  t.same([second.numbers(), answers], [upTo(7, 12), upTo(1, 12)], 'its own do not come back')
  second.kill()
  await until(() => server.rooms().length === 0)
  server.close()
  await engine.stop({ timeout: 1000 })
})

/** A process of sluice-rooms; resolves when it listens. */
async function rooms(t: Test, relay: string, port = 0) {
  const main = `${built()}commands/rooms/main.js`
  const argv = [main, '--host', '127.0.0.1', '--port', String(port), '--relay', relay]
  const listening = /listening on http:\S+:(\d+)\/\n/
  const { found, kill } = await saying(t, listening, ...bareNode(argv))
  return { port: Number(found[1]), kill }
}

for (const { name, skip: noRelay, keeping } of RELAYS)
  t.test(`our server is killed, ${name}`, { skip: skip || noRelay, timeout: 60_000 }, async t => {
    const relay = await keeping(t)
    const [one, two] = await Promise.all([rooms(t, relay.url), rooms(t, relay.url)])
    const engine = new Engine({ log: message => t.fail(message) })
    const ann = new Channel(`ws://127.0.0.1:${one.port}/`, { engine })
    await ann.connect()
    await ann.join('tea', { seq: 0 })
    const answers: unknown[] = []
    ann.on_room_message('tea', ({ answer }) => answer !== undefined && answers.push(answer))
    let said = 0
    const say = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) await ann.send_to('tea', { n: ++said })
    }
    const peer = python(t, `ws://127.0.0.1:${two.port}/`)
    await until(() => ann.get_members('tea').includes('Python'))
    await say(20)
    await until(() => peer.got().length === 20)
    await say(20)
    await two.kill()
    await say(20)
    await rooms(t, relay.url, two.port)
    await say(20)
    await until(() => peer.numbers().at(-1) === said && answers.at(-1) === said)
    t.same(peer.numbers(), upTo(1, said), 'each once, in order, no gap')
    t.same(answers, [...new Set(answers)], 'nothing is doubled')
    await ann.close()
    await engine.stop({ timeout: 1000 })
  })
