import t from 'tap'
import { formatHost, hostFault, parseHost } from '../../../src/messages/carriers/host.ts'

t.test('parseHost', async t => {
  const cases: [text: string, address: unknown][] = [
    ['host:80', ['host', 80]],
    ['*:80', ['', 80]],
    [':80', ['', 80]],
    ['::1:80', ['::1', 80]],
    ['[::1]:80', ['[::1]', 80]],
    ['h:0', ['h', 0]],
    ['/tmp/x', { path: '/tmp/x' }],
    ['./x', { path: './x' }],
    ['@name', { path: '\0name' }],
    ['host', undefined],
    ['host:', undefined],
    ['host:x', undefined],
    ['host:70000', undefined],
    ['host:-1', undefined],
    ['', undefined],
    ['[fe80::1%eth0]:80', ['[fe80::1%eth0]', 80]],
    ['fe80::1%eth0:80', ['fe80::1%eth0', 80]],
    ['my_host-1.example.:80', ['my_host-1.example.', 80]],
    // They were found at opening only: there is no such host. `[]` was any host.
    ...['[::1:5', '[]:5', '[zz]:5', '[1.2.3.4]:5', '::1]:5', 'a b:5', 'h:5:6', 'u@h:5', '@'].map(
      (text): [string, undefined] => [text, undefined],
    ),
  ]
  for (const [text, address] of cases) t.strictSame(parseHost(text, false), address, text)
  t.strictSame([parseHost('name', true), parseHost('', true)], [{ path: 'name' }, undefined])
})

t.test('formatHost', async t => {
  t.strictSame(
    [
      ['1.2.3.4', 5],
      ['::1', 5],
      ['::', 5],
      ['0.0.0.0', 5],
      ['', 5],
    ].map(each => formatHost(each as [string, number])),
    ['1.2.3.4:5', '[::1]:5', 'localhost:5', 'localhost:5', 'localhost:5'],
  )
  t.strictSame([formatHost('/tmp/x'), formatHost('\0name')], ['/tmp/x', '@name'])
})

// It said that the address must be host:port, which it was.
t.test('what is said of a text that is none', async t => {
  t.equal(hostFault('127.0.0.1:99999', 'other'), 'the port must be from 0 to 65535')
  t.equal(hostFault('nowhere', 'other'), 'other')
  t.equal(hostFault('[::1:5', ''), 'the host must be a name or an address, as [::1] for IPv6')
})
