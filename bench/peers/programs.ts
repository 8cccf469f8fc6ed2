/**
 * Bench. The programs of real peers of WebSocket, as text: each runs in a temporary folder, where
 * what it imports is installed.
 *
 * A client is given a URL and whether it offers compression. It sends the texts of texts.json,
 * which must come back, and says `closed CODE` at the end. A server says `READY PORT`, and echoes.
 */

/** One library or runtime. */
export interface Peer {
  /** The package that is installed. */
  readonly name: string
  /** What runs the programs: `node`, or a command of the package. */
  readonly command: readonly string[]
  /** Does it know permessage-deflate, as a client and as a server? */
  readonly deflates: { readonly client: boolean; readonly server: boolean }
  readonly client: string
  readonly server: string
}

/** A client with the API of browsers. `open` makes it. */
function browserLike(open: string): string {
  return `
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import process from 'node:process'
const require = createRequire(process.cwd() + '/x.js')
const [url, wanted] = process.argv.slice(2)
const [texts, deflate] = [JSON.parse(readFileSync('texts.json', 'utf8')), wanted === 'deflate']
${open}
let at = 0
socket.onopen = () => socket.send(texts[0])
socket.onmessage = ({ data }) => {
  if (data !== texts[at]) throw new Error('text ' + at + ' came back as another')
  if (++at < texts.length) socket.send(texts[at])
  else socket.close(3000, 'bye')
}
socket.onerror = event => console.log('error', event.message)
socket.onclose = ({ code }) => { console.log('closed', code); process.exit() }
`
}

const HTTP = `
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
const require = createRequire(process.cwd() + '/x.js')
const deflate = process.argv[2] === 'deflate'
const http = createServer()
http.listen(0, '127.0.0.1', () => console.log('READY ' + http.address().port))
`

/** The longest text has 300 000 bytes; npm's websocket takes frames of 64 KiB unless told. */
const TURTLE_FRAME = 1024 * 1024

export const PEERS: readonly Peer[] = [
  {
    name: 'ws',
    command: ['node'],
    deflates: { client: true, server: true },
    client: browserLike(
      `const socket = new (require('ws').WebSocket)(url, { perMessageDeflate: deflate })`,
    ),
    server: `${HTTP}
const server = new (require('ws').WebSocketServer)({ server: http, perMessageDeflate: deflate })
server.on('connection', socket =>
  socket.on('message', (data, binary) => socket.send(data, { binary })))
`,
  },
  {
    name: 'websocket',
    command: ['node'],
    deflates: { client: false, server: false },
    client: browserLike(`
// It drops empty texts that come, without a word.
texts.splice(texts.indexOf(''), 1)
const socket = new (require('websocket').w3cwebsocket)(url)
`),
    server: `${HTTP}
const maxReceivedFrameSize = ${TURTLE_FRAME}
const server = new (require('websocket').server)(
  { httpServer: http, autoAcceptConnections: true, maxReceivedFrameSize })
server.on('connect', socket => socket.on('message', ({ type, utf8Data, binaryData }) =>
  type === 'utf8' ? socket.sendUTF(utf8Data) : socket.sendBytes(binaryData)))
`,
  },
  {
    name: 'faye-websocket',
    command: ['node'],
    deflates: { client: true, server: true },
    client: browserLike(`
const extensions = deflate ? [require('permessage-deflate')] : []
const socket = new (require('faye-websocket').Client)(url, [], { extensions })
`),
    server: `${HTTP}
const extensions = deflate ? [require('permessage-deflate')] : []
http.on('upgrade', (request, stream, head) => {
  const socket = new (require('faye-websocket'))(request, stream, head, [], { extensions })
  socket.onmessage = ({ data }) => socket.send(data)
})
`,
  },
  {
    name: 'bun',
    command: ['bun'],
    deflates: { client: true, server: true },
    client: browserLike(
      `const socket = new WebSocket(url, deflate ? {} : { perMessageDeflate: false })`,
    ),
    server: `
const deflate = process.argv[2] === 'deflate'
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request, server) => void server.upgrade(request),
  websocket: {
    perMessageDeflate: deflate,
    message(socket, data) { socket.send(data, deflate) },
  },
})
console.log('READY ' + server.port)
`,
  },
  {
    name: 'deno',
    command: ['deno', 'run', '--allow-all', '--no-lock'],
    deflates: { client: false, server: false },
    client: browserLike(`const socket = new WebSocket(url)`),
    server: `
Deno.serve({
  port: 0,
  hostname: '127.0.0.1',
  onListen: ({ port }) => console.log('READY ' + port),
}, request => {
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }) => socket.send(data)
  return response
})
`,
  },
]
