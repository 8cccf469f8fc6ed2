/** What the tests of `stream+` share: a server over tcp in memory, whose storage is a real file. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { turn } from '../../kit.ts'
import type { Stage } from '../kit.ts'

/** Collects what comes, as hex. */
export class Raw extends Client {
  hex = ''
  override on_read(data: Buffer): void {
    this.hex += data.toString('hex')
  }
}

/** A name of a file that is not there, removed after the test. */
export function fresh(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'data')
}

export const URL = 'stream+pub+tcp://:1;mode=server;request=tcp://:2'

/** A server that is active. */
export async function serve(stage: Stage, file: string, parameters = ''): Promise<MessageChannel> {
  const server = stage.context.init(`${URL};storage=file://${file}${parameters}`)
  server.on_error = () => {}
  server.open()
  await settle(stage, () => server.state === 'active')
  return server
}

/** Files are real, and time is not: waits until that is so. */
export async function settle({ advance }: Stage, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await advance(100)
    await turn()
  }
}

/** Posts d100, d101 … with these seqs. */
export function post(server: MessageChannel, from: number, to: number): void {
  for (let seq = from; seq <= to; seq++)
    server.post({ msgid: 10, seq: BigInt(seq), data: `d${seq}` })
}
