/**
 * Bench. A server of rooms. The first argument, if there is one, is the relay that it shares with
 * other processes.
 */

import { RoomServer } from 'sluice/rooms'
import { ready } from '../child.ts'

const relay = process.argv[2]
const server = new RoomServer(relay === undefined ? {} : { relay })
await server.listen('ws://127.0.0.1:0/').opened
const [url] = server.client_urls as [string]
ready(['127.0.0.1', Number(new URL(url).port)])
