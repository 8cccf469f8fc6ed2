/** A small game over a channel in memory, for the tests of consumers. */

import type { Test } from 'tap'
import { Progress, Ping, Pong } from '../../../src/envelope/builtin/common-messages.ts'
import { consumer } from '../../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { error_message } from '../../../src/envelope/error-message.ts'
import { message, type Run } from '../../../src/envelope/runnable.ts'
import { integer, text } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { type Stage, stage } from '../../messages/kit.ts'

export class Taken extends error_message('error.taken', shape({ name: text })) {}
export class Moved extends message('game.moved', shape({ by: text, x: integer })) {}

export const to_client = new Envelope({
  name: 'game_outgoing',
  messages: [Moved, Pong, Progress, Taken],
  allow_batch: true,
})

/** Its `x` says what happens. */
export class Move extends message('game.move', shape({ x: integer })) {
  override run({ consumer }: Run<Player>) {
    return consumer.does(this)
  }
}

export const to_server = new Envelope({ name: 'game_incoming', messages: [Move, Ping] })

export class Player extends consumer({ incoming: to_server, outgoing: to_client }) {
  nick = 'ann'
  readonly log: string[] = []
  does(move: Move): unknown {
    return this.reply(move, 'game.moved', { by: this.nick, x: move.data.x })
  }
  override on_error(error: Error) {
    this.log.push(`error ${(error as { code?: string }).code ?? error.message}`)
  }
  override on_close(reason: string) {
    this.log.push(`closed ${reason}`)
  }
}

export class Caller extends consumer({ incoming: to_client, outgoing: to_server }) {
  readonly log: string[] = []
  override on_message(message: { type_name: string; data: unknown }) {
    this.log.push(`${message.type_name} ${JSON.stringify(message.data)}`)
  }
  override on_error_message(error: Error) {
    this.log.push(String(error))
  }
  override on_error(error: Error) {
    this.log.push(`error ${(error as { code?: string }).code ?? error.message}`)
  }
  override on_close(reason: string) {
    this.log.push(`closed ${reason}`)
  }
}

export interface Game extends Stage {
  readonly player: Player
  /** The other side: texts that were received, and `say`. */
  readonly heard: string[]
  say(text: string | Buffer): void
}

/** A subtest with a player, whose peer is the test. */
export function game(
  t: Test,
  title: string,
  body: (t: Test, game: Game) => Promise<void>,
  player: Player = new Player(),
): Promise<void> {
  return stage(t, title, async (t, stage) => {
    const { context, pump } = stage
    const peer = context.init('mem://;name=peer').open()
    const heard: string[] = []
    peer.callback_add(({ data }) => void heard.push(data.toString()), 'data')
    player.connect('mem://;master=peer', context)
    await pump()
    await body(t, {
      ...stage,
      player,
      heard,
      say: text => void peer.post(text),
    })
    peer.close()
  })
}
