#!/usr/bin/env bash
# hitch, nginx: in front of a plain server they take a client's close_notify for the end of both
# sides. stunnel and haproxy pass it on, and the answer comes back.
#
# Versions:  hitch 1.7.2-1+b1, nginx and libnginx-mod-stream 1.22.1-9+deb12u11, stunnel4
#            3:5.68-2+deb12u1, haproxy 2.6.12-1+deb12u4, of Debian 12 (bookworm), amd64; as the
#            client the npm package `node` 20.20.2. TLS 1.2 and 1.3.
# Expected:  the client sends a line and ends its side (close_notify, then FIN). The plain server
#            behind sees the end, answers after 300 ms, and the client reads the answer, as it does
#            without TLS: TLS 1.3 made close_notify end one direction only (RFC 8446, 6.1).
# Seen:      through stunnel and haproxy it does. hitch closes both connections at once, with either
#            version. nginx does as well; it has a directive for it, `proxy_half_close on`, that is
#            off by default. The client sees an ordinary end, without any answer.
# Here:      `half_close()` over TLS: the guide names peers that take it for the end of both sides.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, openssl, 150 MB of
# disk, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq hitch=1.7.2-1+b1 libev4 stunnel4=3:5.68-2+deb12u1 libwrap0 \
    haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 \
    nginx=1.22.1-9+deb12u11 libnginx-mod-stream=1.22.1-9+deb12u11
  for package in *.deb; do dpkg -x "$package" .; done
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -keyout key.pem -out certificate.pem 2>openssl.log
  cat key.pem certificate.pem >both.pem
)
npm install --silent --no-save --no-audit --no-fund --prefix "$folder" node@20.20.2

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { connect as connectPlain, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { connect } from 'node:tls'

const folder = process.argv[2]

async function listening(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

async function free() {
  const server = createServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

// The plain server: it answers after the end of the client.
const to = await listening(
  createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {}).resume()
    socket.on('end', () => setTimeout(() => socket.end('answer'), 300))
  }),
)

const ports = {}
for (const name of ['stunnel', 'haproxy', 'hitch', 'nginx', 'half']) ports[name] = await free()
const tls = `ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/key.pem; proxy_pass 127.0.0.1:${to};`
const configurations = {
  stunnel: `foreground = yes
pid =
[here]
accept = 127.0.0.1:${ports.stunnel}
connect = 127.0.0.1:${to}
cert = ${folder}/both.pem
`,
  haproxy: `defaults
  mode tcp
  timeout client 10s
  timeout server 10s
  timeout connect 10s
listen here
  bind 127.0.0.1:${ports.haproxy} ssl crt ${folder}/both.pem
  server there 127.0.0.1:${to}
`,
  hitch: `frontend = "[127.0.0.1]:${ports.hitch}"
backend = "[127.0.0.1]:${to}"
pem-file = "${folder}/both.pem"
workers = 1
user = "${userInfo().username}"
`,
  nginx: `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
load_module ${folder}/usr/lib/nginx/modules/ngx_stream_module.so;
events {}
stream {
  server { listen 127.0.0.1:${ports.nginx} ${tls} }
  server { proxy_half_close on; listen 127.0.0.1:${ports.half} ${tls} }
}
`,
}
for (const [name, text] of Object.entries(configurations))
  writeFileSync(`${folder}/${name}.conf`, text)

const log = openSync(`${folder}/servers.log`, 'w')
const env = { LD_LIBRARY_PATH: `${folder}/usr/lib/x86_64-linux-gnu` }
const children = [
  ['bin/stunnel4', `${folder}/stunnel.conf`],
  ['sbin/haproxy', '-db', '-f', `${folder}/haproxy.conf`],
  ['sbin/hitch', `--config=${folder}/hitch.conf`],
  ['sbin/nginx', '-p', folder, '-c', `${folder}/nginx.conf`],
].map(([path, ...argv]) =>
  spawn(`${folder}/usr/${path}`, argv, { env, stdio: ['ignore', log, log] }),
)

async function reachable(port) {
  for (let tries = 0; tries < 500; tries++) {
    const socket = connectPlain(port, '127.0.0.1')
    const reached = await new Promise(resolve => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    })
    socket.destroy()
    if (reached) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`nothing listens at ${port}`)
}

function ask(port, version) {
  return new Promise(resolve => {
    let text = ''
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true }
    const versions = { minVersion: version, maxVersion: version }
    const socket = connect({ ...options, ...versions }, () => socket.end('hello\n'))
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('data', data => (text += data))
    socket.on('error', error => (text ||= error.code))
    socket.on('close', () => resolve(text))
  })
}

const seen = {}
try {
  for (const [name, port] of Object.entries(ports)) {
    await reachable(port)
    seen[name] = await ask(port, 'TLSv1.2')
    const newer = await ask(port, 'TLSv1.3')
    console.log(`${name}: ${seen[name] || 'nothing'}, with TLS 1.3: ${newer || 'nothing'}`)
    if (newer !== seen[name]) seen[name] += newer
  }
} finally {
  for (const child of children) child.kill()
}
const expected = { stunnel: 'answer', haproxy: 'answer', hitch: '', nginx: '', half: 'answer' }
const same = Object.keys(expected).every(name => seen[name] === expected[name])
process.exit(same ? 0 : 1)
PROGRAM

timeout 60 "$folder/node_modules/node/bin/node" "$folder/program.mjs" "$folder"
