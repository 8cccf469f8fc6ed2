/**
 * Layer 9. Messages of general use. A program puts those that it wants into its envelopes.
 */

import { message, type Run } from '../runnable.ts'
import { integer, number, text } from '../schema/scalars.ts'
import { optional } from '../schema/schema.ts'
import { shape } from '../schema/shape.ts'

/** `s.pong`: the answer to `s.ping`. */
export class Pong extends message('s.pong') {}

/** `s.ping`: is answered with `s.pong`. */
export class Ping extends message('s.ping') {
  /** Answers. */
  override run({ consumer }: Run): void {
    consumer.send(Pong.from_message(this, { state: 's' }))
  }
}

/** `s.stat`: a state, and nothing else. */
export class Stat extends message('s.stat') {}

/** `progress.num`: the progress of some work. */
export class Progress extends message(
  'progress.num',
  shape({ curr: number, total: number, msg: optional(text) }),
) {}

/** `s.closing`: the other side closes the connection now. */
export class Closing extends message('s.closing', shape({ code: integer })) {}

/** `s.close`: closes the connection with a code. It comes from inside the program. */
export class Close extends message('s.close', shape({ code: optional(integer, 1000) })) {
  /** Tells the peer, and closes. */
  override run({ consumer }: Run): void {
    const { code } = this.data
    consumer.send(Closing.from_message(this, { code }))
    consumer.close(code)
  }
}

/** `s.client_info`: what a consumer knows of itself. */
export class ClientInfo extends message(
  's.client_info',
  shape({ consumer_name: text, lang: optional(text) }),
) {}

/** `s.send_client_info`: is answered with `s.client_info`. For tests. */
export class SendClientInfo extends message('s.send_client_info') {
  /** Answers. */
  override run({ consumer }: Run): void {
    const { channel_name: consumer_name, language: lang } = consumer
    consumer.send(ClientInfo.from_message(this, { consumer_name, lang, state: 's' }))
  }
}
