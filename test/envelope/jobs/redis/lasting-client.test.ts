import { LastingClient } from '../../../../src/envelope/jobs/redis/lasting-client.ts'
import { office } from './kit.ts'

const redis = { reconnect: { first: 1, longest: 2 } }

/**
 * A job was put, and the connection was lost before the reply: it may be stored or not. The script
 * may run twice, so it is sent again.
 */
office('it is sent again when the connection was lost', [], async (t, { engine, server }) => {
  const client = new LastingClient(engine, redis).connect(server.url)
  client.on_disconnect = () => {}
  let told = 0
  client.told = () => void told++
  await client.ready
  server.signal('SIGSTOP')
  const reply = client.run('return ARGV[1]', [], ['x'])
  await new Promise(resolve => engine.defer(20, resolve as () => void))
  await server.kill()
  await server.start()
  t.equal(await reply, 'x')
  t.equal(told, 2)
  await t.rejects(client.run('return 1 +', [], []), { code: 'ERR' })
  await server.kill()
  await t.rejects(client.run('return 1', [], [], 30), { code: 'ERR_TIMEOUT' })
  const open = client.run('return 1', [], [])
  client.close()
  await t.rejects(open, { code: 'ERR_CLOSED' })
  t.equal(client.isOpen, false)
})

office('no time is left', [], async (t, { engine, server }) => {
  const client = new LastingClient(engine, { reconnect: undefined }).connect(server.url)
  await client.ready
  await t.rejects(client.run('return 1', [], [], 0), { code: 'ERR_TIMEOUT' })
  client.close()
})
