import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { readErrorText } from '../../../src/messages/prefixes/stream-wire.ts'
import { thrown } from '../../kit.ts'
import { fault, stage, watch } from '../kit.ts'
import { fresh, post, Raw, serve, settle, URL } from './stream-kit.ts'

/** As the original sends them: open mode=seq, seq=103; the server has 100 to 105. */
const HELLO = '0a0000006400000000000000000000000100080000000100000100'
const ONLINE =
  '0a00000065000000000000000000000001006900000000000000' + '030000000a0000006a000000000000006e6577'
const REQUEST_HEAD = '230000000c00000000000000000000000100000000000000000000000000000000000067'
const REQUEST = `${REQUEST_HEAD}000000000000000000000000000000`
const DONE = '080000002800000000000000000000006900000000000000'
const HISTORY =
  '2000000014000000000000000000000069000000000000006700000000000000' +
  'ffffffffffffffff0000000000000000' +
  '040000000a000000670000000000000064313033' +
  '040000000a000000680000000000000064313034' +
  '040000000a000000690000000000000064313035'

stage(t, 'on the wire: the bytes of the original', async (t, stage) => {
  const { engine } = stage
  const server = await serve(stage, fresh(t))
  post(server, 100, 105)
  t.match(server.info, { 'seq-begin': 100n, seq: 105n, subscribers: 0, readers: 0 })
  const online = new Raw({ engine }).connect(1)
  const request = new Raw({ engine }).connect(2)
  await settle(stage, () => online.connected && request.connected)
  online.write(Buffer.from(HELLO, 'hex'))
  request.write(Buffer.from(REQUEST, 'hex'))
  await settle(stage, () => request.hex.length >= HISTORY.length)
  t.equal(request.hex, HISTORY)
  t.match(server.info, { readers: 1 })
  request.write(Buffer.from(DONE, 'hex'))
  await settle(stage, () => server.info['readers'] === 0)
  server.post({ msgid: 10, seq: 106n, data: 'new' })
  await settle(stage, () => online.hex.length >= ONLINE.length)
  t.equal(online.hex, ONLINE)
  server.post({ type: 'control', msgid: 20, addr: 1 })
  await settle(stage, () => online.state === 'closed')
  t.equal(request.hex, HISTORY, 'nothing after it is done')
  server.close()
  await settle(stage, () => server.state === 'closed')
})

stage(t, 'after a restart it goes on with the last seq of the storage', async (t, stage) => {
  const file = fresh(t)
  const first = await serve(stage, file, ';autoseq=yes')
  for (const data of ['a', 'b', 'c']) first.post(data)
  t.match(first.info, { seq: 2n })
  first.close()
  await settle(stage, () => first.state === 'closed')
  first.destroy()
  const second = await serve(stage, file, ';autoseq=yes')
  t.match(second.info, { seq: 2n }, 'the child begins there, too')
  t.equal(second.post('d'), true)
  t.match(second.info, { 'seq-begin': 0n, seq: 3n })
  second.close()
  t.equal(second.post('e'), false, 'it is closing')
  await settle(stage, () => second.state === 'closed')
  second.destroy()
  const third = await serve(stage, file)
  t.equal(
    thrown(() => third.post({ data: 'old', seq: 3n })),
    'ERR_INVALID_ARGUMENT',
  )
  third.close(true)
  t.equal(third.state, 'closed')
})

stage(t, 'a request that is refused', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  post(server, 100, 105)
  const frame = (msgid: string, data: string): string =>
    `${(data.length / 2).toString(16).padStart(2, '0')}000000${msgid}0000000000000000000000${data}`
  const data = REQUEST.slice(32)
  for (const [hex, why] of [
    [frame('0c', '0100'), 'a request of 2 bytes'],
    [frame('0c', data.replace('0100', '0200')), 'a request of version 2'],
    [frame('0c', data.replace('0067', '0167')), 'a request by block: there are no blocks here'],
    [frame('0c', data.replace('67', '6b')), 'seq 107 was asked for, but the last one is 105'],
    [frame('63', ''), 'msgid 99 came, and no request'],
    [REQUEST + REQUEST, 'msgid 12 came, and no request'],
  ] as const) {
    const raw = new Raw({ engine: stage.engine }).connect(2)
    await settle(stage, () => raw.connected)
    raw.write(Buffer.from(hex, 'hex'))
    await settle(stage, () => raw.state === 'closed')
    const said = Buffer.from(raw.hex, 'hex')
    const at = said.lastIndexOf(Buffer.from('1e000000', 'hex'))
    t.equal(readErrorText(said.subarray(at + 12)), `stream+: ${why}`)
    t.equal(errors.pop(), `stream+: ${why}`)
    t.strictSame([errors, server.info['readers'], server.state], [[], 0, 'active'])
  }
  server.close(true)
})

stage(t, 'nothing is stored; a request for what comes next', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  const ask = async (seq: string): Promise<Raw> => {
    const [before, after] = [REQUEST_HEAD.slice(0, -2), REQUEST.slice(REQUEST_HEAD.length - 2)]
    const raw = new Raw({ engine: stage.engine }).connect(2)
    await settle(stage, () => raw.connected)
    raw.write(Buffer.from(before + seq + after.slice(seq.length), 'hex'))
    await settle(stage, () => raw.hex.length >= 96)
    return raw
  }
  const first = await ask('00')
  t.equal(server.info['readers'], 0, 'there is no file to be read')
  post(server, 5, 6)
  const second = await ask('07')
  t.equal(first.hex.length, 96, 'a reply')
  t.equal(server.info['readers'], 1)
  second.close()
  await settle(stage, () => server.info['readers'] === 0)
  const third = await ask('ffffffffffffffff')
  await settle(stage, () => third.hex.length > 96)
  t.ok(third.hex.slice(96).startsWith('02'), 'a negative seq: from the beginning')
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  third.write(Buffer.alloc(20, 255))
  await settle(stage, () => third.state === 'closed')
  t.match(errors, [/^stream\+: reader \d: /], 'an error of a peer is reported')
  server.close(true)
})

// Nobody else may wait for a peer that takes nothing, nor may its history be read into memory.
/** Reading a file takes real time, and while a test waits for it a minute of the other passes. */
const HELD = ';request.send-buffer-size=1kb;request.write-timeout=no'

stage(t, 'a peer that takes nothing holds its own reader', async (t, stage) => {
  const server = await serve(stage, fresh(t), HELD)
  const log = watch(server)
  for (let seq = 0n; seq < 300n; seq++) server.post({ seq, data: 'x'.repeat(1000) })
  await settle(stage, () => server.info['unsent'] === 0)
  const slow = new Raw({ engine: stage.engine }).connect(2)
  await settle(stage, () => slow.connected)
  slow.suspend()
  const all = REQUEST.replace(REQUEST_HEAD, `${REQUEST_HEAD.slice(0, -2)}00`)
  slow.write(Buffer.from(all, 'hex'))
  await settle(stage, () => slow.bytes_written > 0 && server.info['readers'] === 1)
  const quick = new Raw({ engine: stage.engine }).connect(2)
  await settle(stage, () => quick.connected)
  quick.write(Buffer.from(all, 'hex'))
  const size = 2 * (48 + 300 * 1016)
  await settle(stage, () => quick.hex.length === size)
  t.ok(slow.bytes_read < 48 + 300 * 1016)
  slow.resume()
  await settle(stage, () => slow.hex.length === size)
  t.equal(slow.hex, quick.hex)
  t.notOk(log.includes('WriteFull'), 'that is no affair of the program')
  server.close(true)
})

stage(t, 'gone, and refused, while it is held', async (t, stage) => {
  const server = await serve(stage, fresh(t), HELD)
  for (let seq = 0n; seq < 300n; seq++) server.post({ seq, data: 'x'.repeat(1000) })
  await settle(stage, () => server.info['unsent'] === 0)
  for (const end of [
    (raw: Raw) => raw.close(),
    (raw: Raw) => void raw.write(Buffer.from(REQUEST, 'hex')),
  ]) {
    const raw = new Raw({ engine: stage.engine }).connect(2)
    await settle(stage, () => raw.connected)
    raw.suspend()
    raw.write(Buffer.from(REQUEST.replace(REQUEST_HEAD, `${REQUEST_HEAD.slice(0, -2)}00`), 'hex'))
    await settle(stage, () => server.info['readers'] === 1)
    for (let i = 0; i < 20; i++) await stage.advance(10)
    end(raw)
    await settle(stage, () => server.info['readers'] === 0)
    raw.close()
  }
  server.close(true)
})

stage(t, 'an error of a part is reported here', async (t, stage) => {
  const server = await serve(stage, fresh(t), ';request.max-connections=1')
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  const raws = [1, 2].map(() => new Raw({ engine: stage.engine }).connect(2))
  await settle(stage, () => errors.length > 0)
  t.match(errors, [/max_connections|max-connections/])
  for (const raw of raws) raw.close()
  server.close(true)
})

stage(t, 'the storage cannot be read', async (t, stage) => {
  const file = fresh(t)
  const server = await serve(stage, file)
  post(server, 0, 2)
  await settle(stage, () => server.info['unsent'] === 0)
  appendFileSync(file, Buffer.alloc(16, 0x7f))
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  const raw = new Raw({ engine: stage.engine }).connect(2)
  await settle(stage, () => raw.connected)
  raw.write(Buffer.from(REQUEST.replace(REQUEST_HEAD, `${REQUEST_HEAD.slice(0, -2)}00`), 'hex'))
  await settle(stage, () => raw.state === 'closed')
  t.equal(errors.length, 1)
  const said = Buffer.from(raw.hex, 'hex')
  t.ok(said.includes('d2') && said.includes(errors[0]!), 'what could be read, and the reason')
  server.close(true)
})

stage(t, 'the storage is full, and has room again', async (t, stage) => {
  const server = await serve(stage, fresh(t), ';storage.send-buffer-size=1kb')
  const log = watch(server)
  let seq = 0n
  while (server.post({ seq, data: 'x'.repeat(300) })) seq++
  await settle(stage, () => log.includes('WriteReady'))
  t.strictSame(log, ['WriteFull', 'WriteReady'])
  t.equal(server.post({ seq, data: 'x' }), true)
  server.close(true)
})

stage(t, 'what it stands on fails or closes', async (t, stage) => {
  const { context } = stage
  const file = fresh(t)
  const broken = context.init(`${URL};storage=file://${file}/no/such/folder`)
  broken.on_error = () => {}
  broken.open()
  await settle(stage, () => broken.state === 'error')
  t.match(broken.error, { code: 'ENOENT' })
  broken.destroy()

  const taken = context.init('tcp://:2;mode=server').open()
  await stage.pump()
  const second = context.init(`${URL};storage=file://${file}`)
  second.on_error = () => {}
  second.open()
  await settle(stage, () => second.state === 'error')
  t.match(second.error, { code: 'EADDRINUSE' })
  second.destroy()
  taken.close()

  for (const suffix of ['storage', 'request', 'stream']) {
    const server = await serve(stage, file)
    const part = [...server.children].find(({ name }) => name.endsWith(`/${suffix}`))!
    part.close()
    await settle(stage, () => server.state === 'closed')
    t.ok(
      [...server.children].every(({ state }) => state === 'closed'),
      suffix,
    )
    server.destroy()
  }
  t.ok(existsSync(file))
})

stage(t, 'posting before it is active; what is stored and not published', async (t, stage) => {
  const file = fresh(t)
  const early = stage.context.init(`${URL};storage=file://${file}`).open()
  t.equal(
    thrown(() => early.post('x')),
    'ERR_INVALID_STATE',
  )
  early.destroy()
  const server = stage.context.init(
    `stream+pub+null://;mode=server;request=tcp://:2;storage=file://${file}`,
  )
  const errors: string[] = []
  server.on_error = error => void errors.push(error.message)
  server.open()
  await settle(stage, () => server.state === 'active')
  const [child] = [...server.children]
  child!.do_post = () => false
  t.equal(server.post({ seq: 7n, data: 'x' }), true, 'it is in the storage')
  t.match(errors, [/^seq 7 is stored, but was not taken by /])
  t.equal(
    server.client_url,
    'stream+pub+null://;request.url=tcp://127.0.0.1:2;request.mode=client;request.frame=std',
  )
  server.close()
  await settle(stage, () => server.state === 'closed')
  t.equal(readFileSync(file).length, 17)
})

stage(t, 'URLs', async (t, { context }) => {
  const file = fresh(t)
  const server = context.init(`${URL};storage=file://${file};dump=no`)
  t.equal(server.client_url, undefined, 'not open')
  for (const [url, message] of [
    ['stream+tcp://:1;mode=server', 'stream+ stands before pub+'],
    [`${URL}`, 'storage must be given'],
    [`stream+pub+tcp://:1;mode=server;storage=file://${file}`, 'request must be given'],
    [`${URL};storage.url=file://${file};storage.frame=line`, 'storage must be a channel that'],
    [
      `stream+pub+tcp://:1;mode=server;request.url=tcp://:2;request.frame=line;storage=file://x`,
      'request must be a channel that carries msgid and seq',
    ],
    [`${URL};storage=file://${file};autosq=yes`, 'autoseq'],
    // They were left out without a word.
    [`${URL};storage.url=file://${file};storage.dir=r`, 'dir must be one of w; got "r"'],
    [`${URL};request.mode=client;storage=file://${file}`, 'mode must be one of server; got'],
    // What the limit refused was stored, and no subscriber that was online ever got it.
    [
      `${URL.replace('+', '+rate+')};speed=1kb;storage=file://${file}`,
      'rate+ must come first: rate+stream+pub+tcp',
    ],
  ] as const)
    t.match(
      fault(() => context.init(url)),
      message,
    )
})
