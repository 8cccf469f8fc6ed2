/** What an engine gets of the machine. */

import t from 'tap'
import * as node from '../../src/io/node.ts'

t.test('everything that an engine is made of', async t => {
  const {
    NodeClock,
    NodeNetwork,
    duplexTransport,
    nodeFiles,
    nodeThreads,
    nodeTls,
    publish,
    heapLimit,
  } = node
  const network = new NodeNetwork()
  t.same([network.tls, network.files], [nodeTls, nodeFiles])
  t.equal(typeof nodeThreads, 'object')
  t.ok(new NodeClock().now() >= 0)
  t.ok(heapLimit() > 0)
  t.same([typeof publish, typeof duplexTransport], ['function', 'function'])
  t.equal(Object.keys(node).length, 8)
})
