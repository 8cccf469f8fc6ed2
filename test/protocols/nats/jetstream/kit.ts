/** A server made by hand that answers requests, as JetStream does. */

import { Buffer } from 'node:buffer'
import { matches } from '../../../../src/protocols/nats/subjects.ts'
import type { World } from '../../../kit.ts'
import { FakeServer, INFO, Peer, Watched } from '../kit.ts'

/** What is answered: the lines of a message each; its subject is the reply, if it has none. */
type Reply = (body: string, peer: JetPeer, reply: string) => readonly string[] | string | undefined

/** A message with a header. */
export function headed(subject: string, header: string, data = '', reply = ''): string {
  const head = `NATS/1.0${header}\r\n\r\n`
  const to = reply === '' ? '' : `${reply} `
  return `HMSG ${subject} SID ${to}${head.length} ${head.length + data.length}\r\n${head}${data}`
}

export class JetPeer extends Peer {
  declare readonly server: JetServer
  readonly #subs = new Map<string, string>()
  #request: { subject: string; reply: string; skip: number } | undefined

  override on_read(line: string): void {
    super.on_read(line)
    const words = line.split(' ')
    const [verb, subject = '', word = ''] = words
    if (this.#request !== undefined) {
      // The header of an HPUB ends with an empty line.
      if (this.#request.skip === 0 || (this.#request.skip === 1 && line === '')) {
        this.#request.skip--
        if (this.#request.skip >= 0) return
        const { subject, reply } = this.#request
        this.#request = undefined
        this.#answer(subject, reply, line)
      }
    } else if (verb === 'SUB') this.#subs.set(subject, word)
    else if (verb === 'PUB' || verb === 'HPUB') {
      const skip = verb === 'PUB' ? 0 : 1
      this.#request = { subject, reply: words.length > 3 + skip ? word : '', skip }
    }
  }

  #answer(subject: string, reply: string, body: string): void {
    this.server.asked.push(`${subject} ${body}`.trim())
    const key = Object.keys(this.server.replies).find(each => subject.includes(each)) ?? ''
    const answer = this.server.replies[key]?.(body, this, reply) ?? []
    if (reply === '') return
    for (const each of typeof answer === 'string' ? [answer] : answer) this.tell(reply, each)
  }

  /** Sends a message, whole or only its data, to who has subscribed to `reply`. */
  tell(reply: string, text: string): void {
    const [, sid = ''] = [...this.#subs].find(([pattern]) => matches(pattern, reply)) ?? []
    const message = /^H?MSG /.test(text)
      ? text.replace('SID', sid)
      : `MSG ${reply} ${sid} ${Buffer.byteLength(text)}\r\n${text}`
    this.say(message)
  }
}

export class JetServer extends FakeServer {
  /** By a part of the subject. */
  replies: Record<string, Reply> = {}
  readonly asked: string[] = []
}

/** A client that is connected to such a server. */
export async function jet(
  world: World,
  replies: Record<string, Reply> = {},
): Promise<{ server: JetServer; client: Watched }> {
  const server = new JetServer(JetPeer as never, { engine: world.engine }).listen(4222)
  server.info = { ...INFO, jetstream: true }
  server.replies = replies
  await world.pump()
  const client = new Watched({ engine: world.engine }).connect()
  await world.pump()
  return { server, client }
}
