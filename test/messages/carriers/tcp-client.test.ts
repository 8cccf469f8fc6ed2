import t from 'tap'
import { fault, stage } from '../kit.ts'
import { peer } from './kit.ts'

stage(t, 'addresses', async (t, stage) => {
  await peer(stage, '/tmp/place')
  const unix = stage.context.init('unix:///tmp/place').open()
  const path = stage.context.init('tcp:///tmp/place').open()
  t.strictSame(stage.context.init('tcp://').info, {
    local: undefined,
    remote: undefined,
    unsent: 0,
  })
  t.equal(path.carries.seq, true)
  const later = stage.context.init('tcp://').open('host=127.0.0.1:5')
  later.on_error = () => {}
  await stage.pump()
  t.strictSame([unix.state, path.state, later.state], ['active', 'active', 'error'])
  t.match(
    fault(() => stage.context.init('tcp://nowhere')),
    'the address must be host:port, or a path with a slash\n  tcp://nowhere\n        ^^^^^^^',
  )
  const errors: string[] = []
  const bad = stage.context.init('unix://')
  bad.on_error = error => void errors.push(error.message.split('\n')[0] as string)
  bad.open()
  bad.close()
  bad.open('host=')
  t.strictSame(
    [bad.state, errors],
    [
      'error',
      [
        "the address is missing; without one, open('host=…') must give it",
        'host must be host:port, or a path; got ""',
      ],
    ],
  )
  t.match(
    fault(() => stage.context.init('tcp://;frame=x')),
    'frame must be one of',
  )
})

stage(t, 'from an address, in a family', async (t, stage) => {
  stage.context.init('tcp://127.0.0.1:5;mode=server').open()
  const client = stage.context.init('tcp://localhost:5;bind=127.0.0.1;af=ipv4').open()
  await stage.pump()
  t.match(client.info, { local: ['127.0.0.1', Number], remote: ['127.0.0.1', 5] })
})

stage(t, 'our side ends alone, and the answer is received', async (t, stage) => {
  const server = stage.context.init('tcp://:5;mode=server;frame=line').open()
  server.on_message = ({ data, addr }) => void server.post({ data: `re: ${data}`, addr })
  const client = stage.context.init('tcp://:5;frame=line')
  t.equal(client.half_close(), true, 'not open yet')
  client.open()
  await stage.pump()
  const texts: string[] = []
  client.on_message = ({ data }) => void texts.push(String(data))
  client.post('a')
  t.equal(client.half_close(), true)
  t.equal(client.post('b'), false)
  await stage.pump()
  t.strictSame([texts, client.state], [['re: a'], 'closed'])
})
