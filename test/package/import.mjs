// The installed package, by import: the echo server, the testing kit, UDP.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Connection, Datagram, Engine, Server } from 'sluice'
import { Echo } from 'sluice/echo'
import { Context } from 'sluice/messages'
import manifest from 'sluice/package.json' with { type: 'json' }
import { Channel, ChannelState } from 'sluice/rooms'
import { pair } from 'sluice/testing'
import { WebSocketClient, WebSocketConnection, WebSocketServer } from 'sluice/websocket'

assert.equal(manifest.name, 'sluice')

// As the README has it, in plain JavaScript.
class Mine extends Connection {
  encoding = 'utf8'
  read_delimiter = '\r\n'
  on_read(line) {
    this.write(line + '\r\n')
  }
}

for (const ConnectionClass of [Mine, Echo]) {
  const server = await new Server(ConnectionClass).listen(['127.0.0.1', 0]).opened
  const socket = connect(server.local_address[1], '127.0.0.1')
  socket.write('hello\r\n')
  const [answer] = await once(socket, 'data')
  assert.equal(String(answer), 'hello\r\n')
  socket.end()
  server.end()
  assert.equal(await server.closed, 'local')
}

const { client, pump } = await pair({ connection: Echo })
client.write('over memory\r\n')
await pump()
assert.equal(String(client.reads), 'over memory\r\n')

class Upper extends WebSocketConnection {
  deflate = true
  on_message(text) {
    this.send(text.toUpperCase())
  }
}
const web = await new WebSocketServer(Upper).listen(['127.0.0.1', 0]).opened
const browser = new WebSocketClient()
browser.on_message = text => browser.end(3000, text)
browser.connect(`ws://127.0.0.1:${web.local_address[1]}/`).send('hello')
assert.equal(await browser.closed, 'local')
assert.equal(browser.close_reason, 'HELLO')
web.close()

const channel = Context.instance()
  .init('deflate+direct://', { master: Context.instance().init('direct://').open() })
  .open()
assert.equal(channel.post('over a channel'), true)
channel.close(true)

const started = Engine.instance().start()
const echo = await new (class extends Datagram {
  on_read(data) {
    this.write(data)
  }
})().listen(['127.0.0.1', 0]).opened
const answered = new Promise(resolve => {
  new (class extends Datagram {
    on_read(data) {
      resolve(String(data))
    }
  })().write('ping', echo.local_address)
})
assert.equal(await answered, 'ping')
await Engine.instance().stop()
await started

assert.equal(new Channel('ws://localhost:1').state, ChannelState.CLOSED)
