// The installed package, by require.
const assert = require('node:assert/strict')
const { connect } = require('node:net')
const { Client, Connection, Server } = require('sluice')
const { Echo } = require('sluice/echo')
const { MemoryNetwork } = require('sluice/testing')

assert(Echo.prototype instanceof Connection, 'both come from the same files')
assert.equal(typeof MemoryNetwork, 'function')
assert.equal(typeof Client, 'function')

const server = new Server(Echo).listen(['127.0.0.1', 0])
server.on_listen = () => {
  const socket = connect(server.local_address[1], '127.0.0.1')
  socket.write('hello\r\n')
  socket.on('data', data => {
    assert.equal(String(data), 'hello\r\n')
    socket.end()
    server.end()
  })
}
server.on_close = reason => assert.equal(reason, 'local')
