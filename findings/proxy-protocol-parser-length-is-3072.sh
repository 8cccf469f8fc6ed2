#!/usr/bin/env bash
# @balena/proxy-protocol-parser: with the header that it writes, nobody gets an answer.
#
# Versions:  the npm packages `@balena/proxy-protocol-parser`, 1.0.2, and `proxy-protocol-js`,
#            4.0.6, on any Node; haproxy 2.6.12-1+deb12u4 of Debian 12 (bookworm), amd64.
# Expected:  `v2_encode` of a client's address is a header of PROXY protocol 2, and the server
#            behind takes the address for the client's, as it does with the header of
#            proxy-protocol-js, and with the line of its own `v1_encode`.
# Seen:      the two bytes of its length are in the wrong order: 3072 for 12, and 9216 for 36. So
#            haproxy waits for more, and gives up. And the command is LOCAL (20), not PROXY (21),
#            with which addresses are to be ignored. Its own `v2_decode` looks at neither, so a
#            program at both ends finds nothing. The line "PROXY UNKNOWN", which is valid, is
#            decoded as a client of IPv6 with a line end as its address.
# Here:      behind `proxy_trusted`, sluice reads the header as haproxy does.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  @balena/proxy-protocol-parser@1.0.2 proxy-protocol-js@4.0.6 >/dev/null

(
  cd "$folder"
  apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 \
    libopentracing1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { writeFileSync } = require('node:fs')
const net = require('node:net')
const { v1_decode, v1_encode, v2_decode, v2_encode } = require('@balena/proxy-protocol-parser')
const other = require('proxy-protocol-js')

const clients = {
  IPv4: { remoteFamily: 'IPv4', remoteAddress: '192.0.2.7', localAddress: '192.0.2.1' },
  IPv6: { remoteFamily: 'IPv6', remoteAddress: '2001:db8::7', localAddress: '2001:db8::1' },
}
for (const family in clients) Object.assign(clients[family], { remotePort: 5000, localPort: 80 })

const PREFIX = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
const { IPv4Address, IPv4ProxyAddress, IPv6Address, IPv6ProxyAddress } = other
const four = last => IPv4Address.createFrom([192, 0, 2, last])
const six = last => IPv6Address.createFrom([...PREFIX, last])
const addresses = {
  IPv4: new IPv4ProxyAddress(four(7), 5000, four(1), 80),
  IPv6: new IPv6ProxyAddress(six(7), 5000, six(1), 80),
}
function ofOther(family) {
  const { Command, TransportProtocol, V2ProxyProtocol } = other
  const parts = [Command.PROXY, TransportProtocol.STREAM, addresses[family], new Uint8Array()]
  return new V2ProxyProtocol(...parts).build()
}

async function main() {
  const free = net.createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  writeFileSync(
    'haproxy.conf',
    `
defaults
  mode http
  timeout client 2s
frontend here
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]"
`,
  )
  const env = { LD_LIBRARY_PATH: `${process.cwd()}/usr/lib/x86_64-linux-gnu` }
  const haproxy = spawn('usr/sbin/haproxy', ['-db', '-f', 'haproxy.conf'], { env, stdio: 'ignore' })

  /** Whom haproxy takes for the client, after this header. */
  async function source(header) {
    for (;;) {
      const socket = net.connect(port, '127.0.0.1')
      try {
        await once(socket, 'connect')
      } catch {
        await new Promise(resolve => setTimeout(resolve, 20))
        continue
      }
      socket.write(Buffer.concat([header, Buffer.from('GET / HTTP/1.0\r\n\r\n')]))
      let answer = ''
      socket.on('data', data => (answer += data)).on('error', () => {})
      await new Promise(resolve => socket.on('close', resolve))
      return /200 OK[^]*\r\n\r\n(.*)/.exec(answer)?.[1] ?? 'nobody'
    }
  }

  const results = []
  for (const [family, client] of Object.entries(clients)) {
    const header = v2_encode(client)
    const seen = [
      await source(Buffer.from(ofOther(family))),
      await source(v1_encode(client)),
      await source(header),
      header.toString('hex', 12, 16),
      v2_decode(header).remoteAddress,
    ]
    console.log(`${family}: ${seen.join(', ')}`)
    results.push(...seen)
  }
  const unknown = v1_decode(Buffer.from('PROXY UNKNOWN\r\nGET / HTTP/1.0\r\n\r\n'))
  const { remoteFamily, remoteAddress } = unknown
  console.log(`unknown: ${JSON.stringify({ remoteFamily, remoteAddress })}`)
  haproxy.kill()
  const expected = [
    ...['192.0.2.7', '192.0.2.7', 'nobody', '20110c00', '192.0.2.7'],
    ...['2001:db8::7', '2001:db8::7', 'nobody', '20212400', '2001:db8::7'],
  ]
  const same = results.join() === expected.join()
  process.exit(same && `${remoteFamily} ${remoteAddress}` === 'IPv6 \r\n' ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
