/**
 * The program that is type-checked and run with the real libraries. It has no cast. What it prints
 * is compared with `PRINTS`.
 */

/** Without a cast. */
export const PROGRAM = `
import { type } from 'arktype'
import {
  consumer, ConsumerServer, Envelope, error_message, message, type Run, shape, text,
} from 'sluice/envelope'
import { Context } from 'sluice/messages'
import * as v from 'valibot'
import { z } from 'zod'

class Zod extends message('zod', z.object({
  x: z.int().min(0).max(9),
  note: z.string().optional(),
  size: z.string().transform(each => each.length),
  at: z.object({ z: z.number() }),
})) {
  override run({ consumer }: Run<Server>) {
    const { x, note, size, at } = this.data
    const all: [number, string | undefined, number, number] = [x, note, size, at.z]
    consumer.reply(this, 'told', { text: JSON.stringify(all) })
  }
}
class Late extends message('late', z.object({ name: z.string() }).refine(
  async ({ name }) => name !== 'taken', { message: 'is taken', path: ['name'] },
)) {
  override run({ consumer }: Run<Server>) { consumer.reply(this, 'told', { text: this.data.name }) }
}
class Valibot extends message('valibot', v.object({
  x: v.pipe(v.number(), v.integer(), v.maxValue(9)),
  colours: v.array(v.picklist(['red', 'blue'])),
})) {
  override run({ consumer }: Run<Server>) {
    const colours: ('red' | 'blue')[] = this.data.colours
    consumer.reply(this, 'told', { text: colours.join() + this.data.x.toFixed(1) })
  }
}
class Ark extends message('ark', type({ x: '0 <= number.integer < 10', 'note?': 'string' })) {
  override run({ consumer }: Run<Server>) {
    const { x, note = 'none' } = this.data
    consumer.reply(this, 'told', { text: x.toFixed(1) + note })
  }
}
class Told extends message('told', shape({ text })) {}
class Full extends error_message('error.full', z.object({ room: z.string() })) {}

const incoming = new Envelope({ name: 'in', messages: [Zod, Late, Valibot, Ark] })
const outgoing = new Envelope({ name: 'out', messages: [Told, Full] })
class Server extends consumer({ incoming, outgoing }) {}
class Client extends consumer({ incoming: outgoing, outgoing: incoming }) {}

const server = new ConsumerServer(Server).listen('mem://;mode=server')
const client = await new Client().connect(server.client_url!).opened

const { data } = await client.request('ark', { x: 1 }, { expect: 'told' })
console.log(data.text)
const ask = async (t: string, p: object) => {
  const heard = new Promise<string>(resolve => {
    raw.on_message = ({ data }) => resolve(String(data))
  })
  raw.post(JSON.stringify({ t, p, i: 'a' }))
  const { t: type_name, p: told } = JSON.parse(await heard)
  if (type_name === 'told') console.log(told.text)
  else for (const { loc, msg } of told.errors) console.log(type_name, loc.join('.'), msg)
}
const raw = Context.instance().init(server.client_url!).open()
await ask('zod', { x: 5, size: 'four', at: { z: 1 } })
await ask('zod', { x: 5.5, size: 'four', at: { z: 'a' } })
await ask('zod', JSON.parse('{"x":1,"size":"","at":{"z":1},"more":{"__proto__":1}}'))
await ask('late', { name: 'ann' })
await ask('late', { name: 'taken' })
await ask('valibot', { x: 5, colours: ['red', 'blue'] })
await ask('valibot', { x: 10, colours: ['red', 'green'] })
await ask('ark', { x: 5 })
await ask('ark', { x: 10, note: 5 })
console.log(new Full({ room: 'tea' }).message)
try {
  new Valibot({ x: 5.5, colours: [] })
} catch (error) {
  if (error instanceof Error) console.log(error.message)
}
// @ts-expect-error: that is no colour
client.send.bind(client, 'valibot', { x: 5, colours: ['green'] })
raw.close()
client.close()
server.close()
`

/** What it prints: the faults are in the words of the libraries. */
export const PRINTS = `1.0none
[5,null,4,1]
error.validation x Invalid input: expected int, received number
error.validation at.z Invalid input: expected number, received string
error.validation more.__proto__ this name is not permitted
ann
error.validation name is taken
red,blue5.0
error.validation x Invalid value: Expected <=9 but received 10
error.validation colours.1 Invalid type: Expected ("red" | "blue") but received "green"
5.0none
error.validation x x must be less than 10 (was 10)
error.validation note note must be a string (was a number)
error.full: room: tea
valibot: x: Invalid integer: Received 5.5
`
