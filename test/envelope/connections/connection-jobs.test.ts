import t from 'tap'
import {
  connection_active,
  connection_closed,
  connection_created,
  track_connections,
} from '../../../src/envelope/connections/connection-jobs.ts'
import { internal } from '../../../src/envelope/envelope-table.ts'
import { add_queues, remove_queues } from '../../../src/envelope/jobs/job-queue.ts'
import { runJob } from '../../../src/envelope/jobs/run-job.ts'
import { stage } from '../../messages/kit.ts'
import { Player } from '../consumers/kit.ts'
import { Kept } from '../jobs/kit.ts'

class Known extends Player {
  override on_handshake(): void {
    this.user_pk = 7
    this.language = 'sv'
  }
}

stage(t, 'who comes, who is active and who goes', async (t, { engine, context, pump }) => {
  remove_queues('default')
  const kept = new Kept()
  add_queues(kept)
  const stop = track_connections()
  const log: string[] = []
  for (const signal of [connection_created, connection_active, connection_closed])
    signal.connect(({ channel_name, user_pk, language, close_code }) =>
      log.push(`${signal.name} ${channel_name === name} ${user_pk} ${language} ${close_code}`),
    )
  const peer = context.init('mem://;name=peer').open()
  const player = new Known()
  const name = player.channel_name
  await player.connect('mem://;master=peer', context).opened
  await pump()
  peer.post('{"t":"s.ping"}')
  await pump()
  t.equal(kept.jobs.length, 1, 'it has just connected')
  player.connection_update_interval = 0
  for (let count = 0; count < 2; count++) peer.post('{"t":"s.ping"}')
  await pump()
  player.close(4001)
  await player.closed
  for (const job of kept.jobs.splice(0)) await runJob(job, engine)
  t.strictSame(log, [
    'connection_created true 7 sv null',
    'connection_active true 7 sv null',
    'connection_active true 7 sv null',
    'connection_closed true 7 sv 4001',
  ])
  const nobody = new Player()
  await nobody.connect('mem://;master=peer', context).opened
  await pump()
  nobody.close()
  await nobody.closed
  t.equal(kept.jobs.length, 0, 'without a user there is no job')
  remove_queues('default')
  const channel = context.init('mem://;master=peer').open()
  const lost = new Known()
  await lost.connect(channel).opened
  await pump()
  t.strictSame(lost.log, ['error ERR_INVALID_ARGUMENT'], 'there is no queue now')
  channel.close()
  await lost.closed
  t.equal(lost.log.length, 3, 'closed without a code')
  stop()
  lost.log.splice(0)
  await lost.connect(channel.open()).opened
  channel.close()
  await lost.closed
  t.strictSame(lost.log, ['closed remote'], 'it is not tracked any more')
  peer.close()
  // Other tests of this process look at what is registered.
  for (const each of ['created', 'closed', 'active']) internal.registry.delete(`connection.${each}`)
})
