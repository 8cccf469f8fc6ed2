import t from 'tap'
import { Client } from '../../../../src/channels/basic.ts'
import { ListeningSocket } from '../../../../src/messages/carriers/streams/listening-socket.ts'
import { scene } from '../../../kit.ts'

scene(t, 'each thing it reports, with itself', async (t, { engine, pump }) => {
  const log: string[] = []
  const of = (server: ListeningSocket): string => (server === socket ? '' : ' of another')
  const socket = new ListeningSocket(
    {
      listening: () => void log.push('listening'),
      accepted: (server, transport) => {
        log.push(`accepted${of(server)}`)
        transport.destroy()
      },
      failed: (server, error) => void log.push(`${error.message}${of(server)}`),
      closed: server => void log.push(`closed${of(server)}`),
    },
    { engine },
  )
  socket.listen(1)
  await pump()
  new Client({ engine }).connect(1)
  await pump()
  void socket.on_drop('max_connections', ['192.0.2.1', 5])
  void socket.on_overload()
  void socket.on_drop('overload', ['192.0.2.1', 5])
  void socket.on_error(new Error('broken'))
  socket.close()
  await pump()
  t.match(log, [
    'listening',
    'accepted',
    '192.0.2.1:5 was turned away: max_connections',
    /^peers are turned away: the process is near its limit of open files/,
    'broken',
    'closed',
  ])
})
