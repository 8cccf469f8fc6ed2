/**
 * Bench. The members of a room, as bare sockets: what they cost must not hide what the server
 * costs. They count frames, and look into none.
 */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A text as a frame of a client. Its mask is 0. */
function frame(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

/** How a member comes, and what it says. */
export interface Manners {
  readonly path?: string
  /** How it joins the room; by default it is in there. */
  readonly join?: string
  /** How many frames it gets until it is in there. @default 1, if it joins */
  readonly answers?: number
  readonly message: string
}

const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

const HEAD_END = '\r\n\r\n'

/** One member. Frames of servers have no mask; those that come here are short. */
class Member {
  readonly socket: Socket
  frames = 0
  /** What is left of a frame that came in part; -1: its head. */
  #left = -1
  #heard: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => this.take(chunk))
  }

  /** Calls it with each chunk that has brought a whole frame. */
  set on_frames(heard: () => void) {
    this.#heard = heard
  }

  take(chunk: Buffer): void {
    const before = this.frames
    let at = 0
    while (at < chunk.length) {
      // A head that is cut in two: its first byte says nothing that matters.
      if (this.#left < 0) {
        if (this.#left === -1) at++
        if (at === chunk.length) return void (this.#left = -2)
        this.#left = chunk[at++] as number
      }
      const here = Math.min(this.#left, chunk.length - at)
      at += here
      this.#left -= here
      if (this.#left > 0) break
      this.frames++
      this.#left = -1
    }
    if (this.frames > before) this.#heard()
  }
}

export class Crowd {
  readonly #members: Member[] = []
  readonly #manners: Manners

  constructor(manners: Manners) {
    this.#manners = manners
  }

  get size(): number {
    return this.#members.length
  }

  /** So many more members come to that port. */
  async come(count: number, port: number): Promise<void> {
    const { path = '/', join } = this.#manners
    for (let n = 0; n < count; n++) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(upgrade(path))
      const [answer] = (await once(socket, 'data')) as [Buffer]
      if (!answer.includes('101')) throw new Error(String(answer))
      const member = new Member(socket)
      this.#members.push(member)
      // A server may have said something already.
      member.take(answer.subarray(answer.indexOf(HEAD_END) + HEAD_END.length))
      if (join !== undefined) socket.write(frame(join))
    }
  }

  /** Resolves when each member is in the room. */
  async joined(): Promise<void> {
    const { join, answers = join === undefined ? 0 : 1 } = this.#manners
    while (this.#members.some(({ frames }) => frames < answers)) await new Promise(setImmediate)
  }

  /**
   * The first member says its message `batch` times at once. Resolves when all others have it, with
   * the number of deliveries.
   */
  async round(batch: number): Promise<number> {
    const { message } = this.#manners
    const [sender, ...others] = this.#members as [Member, ...Member[]]
    await new Promise<void>(done => {
      let left = others.length
      for (const member of others) {
        const goal = member.frames + batch
        member.on_frames = () => {
          if (member.frames < goal) return
          member.on_frames = () => {}
          if (--left === 0) done()
        }
      }
      sender.socket.write(Buffer.concat(Array.from({ length: batch }, () => frame(message))))
    })
    return others.length * batch
  }

  close(): void {
    for (const { socket } of this.#members) socket.destroy()
  }
}
