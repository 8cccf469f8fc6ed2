import t from 'tap'
import {
  about,
  isLoss,
  protocolError,
  RedisError,
  serverError,
} from '../../../src/protocols/redis/errors.ts'

t.test('what the server says, by its first word', async t => {
  t.match(serverError('WRONGTYPE Operation against a key'), {
    name: 'RedisError',
    code: 'WRONGTYPE',
    message: 'WRONGTYPE Operation against a key',
    command: '',
  })
  t.equal(serverError('').code, 'ERR')
})

t.test('a redirection of a cluster says that it is not followed', async t => {
  for (const text of ['MOVED 3999 127.0.0.1:6381', 'ASK 3999 127.0.0.1:6381'])
    t.match(serverError(text), {
      code: text.split(' ')[0],
      message: `${text} (the key is on another node of a cluster, and this client does not follow)`,
    })
})

t.test('of which command it is', async t => {
  t.equal(about(serverError('ERR'), 'GET').command, 'GET')
  t.equal(about(new RedisError('ERR_CLOSED', 'why', 'SET'), 'GET').command, 'SET')
  const codes = ['ERR_CLOSED', 'ERR_CUT_OFF', 'ERR_DISCONNECTED', 'ERR_STALE', 'ERR_TIMEOUT']
  const losses = codes.filter(code => isLoss(new RedisError(code, '')))
  t.same([losses, isLoss(new Error('other'))], [codes.slice(0, 4), false])
})

t.test('a server that does not speak RESP', async t => {
  t.match(protocolError('why'), { code: 'ERR_PROTOCOL', message: 'this is not RESP: why' })
})
