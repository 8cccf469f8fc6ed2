/**
 * One process of the to-do list: `node server.js redis://…`. Any number of them share a list by
 * their Redis. It serves the page and its messages, does the work of the jobs, and prints the URL
 * of the page.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  add_envelopes,
  add_layers,
  add_queues,
  consumer,
  ConsumerServer,
  get_layer,
  type InputOf,
  Layer,
  RedisQueue,
  RedisWorker,
  websocket_send,
} from '../../src/envelope/index.ts'
import { RedisClient } from '../../src/protocols/redis/index.ts'
import { open_relay } from '../../src/relay/index.ts'
import { AddItem, CheckItem, Item, to_page, to_server } from './messages.ts'

type ItemData = InputOf<(typeof Item)['schema']>

const [redisUrl] = process.argv.slice(2) as [string]
const redis = await new RedisClient().connect(redisUrl).ready
const relay = open_relay(redisUrl)
await relay.opened
add_layers(new Layer(relay))
add_envelopes(to_server, to_page)
add_queues(new RedisQueue(redisUrl))

const LIST = 'todo:items'
const GROUP = 'todo'

/** Stores an item, and tells all pages of all processes. */
async function store(item: ItemData): Promise<Item> {
  await redis.hset(LIST, { [item.pk]: JSON.stringify(item) })
  websocket_send(new Item(item), { channel_name: GROUP, group: true, envelope: to_page })
  return new Item(item)
}

async function stored(): Promise<ItemData[]> {
  const items = Object.values(await redis.hgetall(LIST)).map(each => JSON.parse(each) as ItemData)
  return items.sort((one, other) => one.at - other.at)
}

/** A job may be done twice: an item has the key of its message, and a second one changes it. */
class ServerAdd extends AddItem {
  override async run_job() {
    const { consumer_name, id } = this.mm
    await store({
      pk: `${consumer_name}/${id}`,
      title: this.data.title,
      done: false,
      at: Date.now(),
    })
  }
}

class ServerCheck extends CheckItem {
  override async run_job() {
    const { pk, done } = this.data
    const found = await redis.hget(LIST, pk)
    if (found === null) throw new Error('there is no such item')
    await store({ ...(JSON.parse(found) as ItemData), done })
  }
}
to_server.registry.add(ServerAdd)
to_server.registry.add(ServerCheck)

class Visitor extends consumer({ incoming: to_server, outgoing: to_page }) {
  override async on_connect() {
    // First the group: what is added meanwhile comes twice rather than never.
    await get_layer().group_add(GROUP, this.channel_name)
    this.send('todo.items', { items: await stored() })
  }
}

const visitors = new ConsumerServer(Visitor).listen('ws://127.0.0.1:0/;mode=server;origins=*')
await visitors.opened
await new RedisWorker(redisUrl, { lease: 1000 }).opened

const script = readFileSync(new URL('./page.js', import.meta.url))
const html = `<!doctype html><meta charset="utf-8"><title>To do</title>
<body data-url="${visitors.client_url?.replace(/;.*/, '')}">
<form><input id="title" required><button>Add</button></form><ul></ul><output></output>
<script type="module" src="/page.js"></script>`
const http = createServer(({ url }, response) => {
  response.setHeader('Content-Type', url === '/page.js' ? 'text/javascript' : 'text/html')
  response.end(url === '/page.js' ? script : html)
}).listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`)
})
