import t from 'tap'
import { Context } from '../../../src/messages/context.ts'
import { MockArchitect } from '../../../src/packets/mocks/mock-architect.ts'
import { MockServer } from '../../../src/packets/mocks/mock-server.ts'
import { stage } from '../../messages/kit.ts'

const nothing = (): void => {}

stage(t, 'channels to its server', async (t, { context, pump }) => {
  const architect = new MockArchitect({ context, channels: 2 })
  const opened: string[] = []
  const open = (id: string): void => void opened.push(id)
  const channels = await architect.get_channels(open, nothing, nothing)
  const more = await architect.get_channels(open, nothing, nothing)
  t.strictSame(architect.channels, [...channels, ...more])
  for (const channel of architect.channels) channel.open()
  await pump()
  t.equal(architect.server.subs, 4)
  t.equal(new Set(opened).size, 4, 'each has a name of its own')
  for (const channel of architect.channels) channel.close()
  await pump()
  await Promise.all([architect.server.close(), pump()])
})

t.test('a server that is given', async t => {
  const server = new MockServer({ context: new Context() })
  t.equal(new MockArchitect({ server }).server, server)
  t.throws(() => new MockArchitect({ servers: 5 } as never), { message: /did you mean server/ })
})
