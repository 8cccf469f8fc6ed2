/**
 * TLS options in a URL. Certificates and keys are files; a file that cannot be read is an error.
 */

import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import { nodeFiles } from '../../../src/io/node.ts'
import { tlsOptions } from '../../../src/messages/carriers/tls-options.ts'
import { Context } from '../../../src/messages/context.ts'
import type { TlsSide } from '../../../src/transport.ts'
import { testCertificates } from '../../certificates.ts'
import { fault, params } from '../kit.ts'

const made = testCertificates()
const { ca, server, client, stranger } = made

t.test('the options', async t => {
  t.equal(tlsOptions(params('tcp://h:1;cert=x'), 'server'), undefined)
  const load = (url: string, side: TlsSide) => tlsOptions(params(url), side)?.(nodeFiles)
  t.same(load('tls+tcp://h:1', 'client'), { rejectUnauthorized: true })
  t.same(load(`tls+tcp://h:1;ca=${ca.certFile};servername=other.test;verify=no`, 'client'), {
    ca: ca.cert,
    servername: 'other.test',
    rejectUnauthorized: false,
  })
  t.same(load(`tls+tcp://h:1;cert=${server.certFile};key=${server.keyFile}`, 'server'), {
    cert: server.cert,
    key: server.key,
    rejectUnauthorized: true,
  })
  t.same(
    load(`tls+tcp://h:1;cert=${server.certFile};key=${server.keyFile};ca=${ca.certFile}`, 'server'),
    {
      cert: server.cert,
      key: server.key,
      ca: ca.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
  )
  t.match(
    fault(() => load('tls+tcp://h:1', 'server')),
    /cert must be given/,
  )
  t.match(
    fault(() => load('tls+tcp://h:1;cert=x', 'client')),
    /^key must be given/,
    'one without the other',
  )
  t.match(
    fault(() => load('tls+tcp://h:1;ca=/nowhere/ca.pem', 'client')),
    /ca must be a file that can be read \(ENOENT.*\); got "\/nowhere\/ca.pem"/,
  )
})

t.test('which peers are accepted', async t => {
  const engine = new Engine({ network: new MemoryNetwork({ auto: true }), log: () => {} })
  const context = new Context({ engine })
  const open = async (url: string) => {
    const channel = context.init(url)
    channel.open()
    return channel.opened.then(() => channel)
  }
  const files = `cert=${server.certFile};key=${server.keyFile};ca=${ca.certFile}`
  const near = await open(`tls+tcp://127.0.0.1:0;mode=server;${files}`)
  const url = near.client_url as string
  t.match(await open(url).catch(String), /certificate/, 'a client that does not know the authority')
  const identity = (who: { certFile: string; keyFile: string }) =>
    `;cert=${who.certFile};key=${who.keyFile}`
  const alice = await open(`${url};ca=${ca.certFile}${identity(client)}`)
  alice.post('hello')
  const message = await near.recv({ type: 'data' })
  t.equal(String(message.data), 'hello')
  const mallory = context.init(`${url};ca=${ca.certFile}${identity(stranger)}`)
  mallory.open()
  t.match(await mallory.closed, /error|remote/, 'a certificate of an unknown authority')
  await engine.stop({ timeout: 1000 })
})
