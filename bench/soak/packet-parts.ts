/**
 * Bench. The processes of `npm run soak -- --packets`: a router, a supervisor, some agents.
 *
 *     node packet-parts.js ROLE LIFE URL [RELAY]
 *
 * Each process has a number, its life; later ones have higher numbers. A packet says which life has
 * sent it, and its number there. The supervisor answers each with the same.
 *
 * What must hold, for each pair of lives: numbers count by one, from 0 if the one that receives has
 * been there since the other began. A process that finds something else says so and ends with 1.
 */

import {
  type Packet,
  PacketAgent,
  PacketRouter,
  type Run,
  Supervisor,
  WebsocketChannel,
} from 'sluice/packets'

const [role = '', lifeText = '', url = '', relay] = process.argv.slice(2)
const LIFE = Number(lifeText)

/** So many agents are in one process. */
const AGENTS = 8

/** How often an agent sends, in ms; and the most packets that it sends at once. */
const EVERY = 20
const AT_ONCE = 5

/** An agent that cannot send does not go on for ever. */
const WAITING_MAX = 20_000

/** What the last packets of an agent are: when they are answered, everything has arrived. */
const LAST = 20

/** What a packet says, and its answer. */
interface Said {
  /** The life of the agent, and the packet's number there. */
  readonly life: number
  readonly n: number
  /** The life of the supervisor that answers. */
  readonly by?: number
}

/** What a process of agents tells when it is asked to finish. */
export interface Finished {
  readonly sent: number
  readonly answered: number
}

const settings = {
  backoff: { first: 100, longest: 2000 },
  lost: { max_outage: Infinity },
  on_error() {},
}

function fault(text: string): never {
  console.error(`Error: ${role} ${LIFE}: ${text}`)
  process.exit(1)
}

/** The numbers that come from one other life. */
class Numbers {
  readonly #what: string
  #next: number | undefined

  /** A supervisor that is younger than the agent has not seen its first packets. */
  constructor(what: string, supervisor: number, agent: number) {
    this.#what = what
    if (supervisor < agent) this.#next = 0
  }

  take(n: number): void {
    if (this.#next !== undefined && n !== this.#next)
      fault(`${this.#what}: number ${n} came, and not ${this.#next}`)
    this.#next = n + 1
  }
}

// ---- the three roles ----------------------------------------------------------------------------

async function route(): Promise<void> {
  const router = new PacketRouter({ relay, on_error() {}, on_drop: unforeseen })
  const listening = await router.listen(url)
  console.log(`READY ${/:(\d+)\//.exec(listening)?.[1]}`)
  process.on('SIGTERM', () => void router.close().then(() => process.exit()))
}

/** What is dropped when a router has no memory of those who are there, and is told so. */
function unforeseen(reason: string, from: string, to: string): void {
  if (reason === 'full' || reason === 'invalid') fault(`dropped, ${reason}: from ${from} to ${to}`)
}

async function supervise(): Promise<void> {
  /** By the agent's id: the latest life that it had, and its numbers. */
  const known = new Map<string, { life: number; numbers: Numbers }>()
  const act = async ({ sender_id, data }: Packet<Said>, run: Run): Promise<void> => {
    const id = sender_id as string
    let agent = known.get(id)
    if (agent !== undefined && data.life < agent.life)
      fault(`${id}: life ${data.life} came after ${agent.life}`)
    if (agent?.life !== data.life) {
      const numbers = new Numbers(`${id} of life ${data.life}`, LIFE, data.life)
      agent = { life: data.life, numbers }
      known.set(id, agent)
    }
    agent.numbers.take(data.n)
    const answer = {
      packet_type: 'request_act',
      sender_id: 'mephisto',
      receiver_id: id,
      data: { ...data, by: LIFE },
    }
    while (!run.send(answer)) await run.ready()
  }
  await new Supervisor({ start_death_time: 600_000, on_error() {} }).register_job({
    architect: {
      get_channels: (...callbacks) => [new WebsocketChannel('main', ...callbacks, url, settings)],
    },
    handlers: { agent_action: act },
    on_suspend: (_, error) => fault(error.message),
  })
  process.on('message', () => process.send?.('well'))
}

class Actor {
  readonly #agent: PacketAgent
  #sent = 0
  #answered = 0
  /** The life of the supervisor that has answered last, and the numbers of its answers. */
  #by = -1
  #numbers: Numbers | undefined
  #isOver = false
  #done: (finished: Finished) => void = () => {}

  constructor(id: string) {
    const on_packet = (packet: Packet): void => this.#told(packet.data as unknown as Said)
    const on_lost = (error: Error): never => fault(error.message)
    const options = { channel: settings, on_packet, on_lost, on_error() {} }
    this.#agent = new PacketAgent(id, url, options).open()
  }

  act(): void {
    if (this.#agent.queued > WAITING_MAX) return
    for (let n = Math.floor(Math.random() * (AT_ONCE + 1)); n > 0; n--) this.#send()
  }

  #send(): void {
    if (this.#agent.send('agent_action', { life: LIFE, n: this.#sent })) this.#sent++
  }

  #told({ life, n, by = 0 }: Said): void {
    // It is for an earlier life of this agent.
    if (life < LIFE) return
    if (by < this.#by) fault(`an answer of supervisor ${by} came after one of ${this.#by}`)
    if (by > this.#by) this.#numbers = new Numbers(`answers of supervisor ${by}`, by, LIFE)
    this.#by = by
    this.#numbers!.take(n)
    this.#answered++
    if (this.#isOver && n === this.#sent - 1)
      this.#done({ sent: this.#sent, answered: this.#answered })
  }

  /** Sends the last ones; resolves when they are answered. */
  finish(): Promise<Finished> {
    for (let n = 0; n < LAST; n++) this.#send()
    this.#isOver = true
    return new Promise(done => (this.#done = done))
  }
}

function act(): void {
  const actors = Array.from({ length: AGENTS }, (_, n) => new Actor(`${role}-${n}`))
  const timer = setInterval(() => {
    for (const actor of actors) actor.act()
  }, EVERY)
  process.on('message', () => {
    clearInterval(timer)
    void Promise.all(actors.map(actor => actor.finish())).then(all =>
      process.send?.({
        sent: all.reduce((sum, { sent }) => sum + sent, 0),
        answered: all.reduce((sum, { answered }) => sum + answered, 0),
      } satisfies Finished),
    )
  })
}

process.on('disconnect', () => process.exit())
if (role === 'router') await route()
else if (role === 'supervisor') await supervise()
else act()
