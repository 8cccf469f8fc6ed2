#!/usr/bin/env bash
# nginx: as a proxy of UDP it cuts what is longer than 16 KiB, and sends on the beginning.
#
# Versions:  nginx and libnginx-mod-stream 1.22.1-9+deb12u11 of Debian 12 (bookworm), amd64.
# Expected:  a packet passes as it is, or is dropped, as the network does.
# Seen:      the first packet of a client passes whole. From then on each packet, in both
#            directions, ends after 16384 bytes, and nothing says so: not the log, not either end. A
#            protocol without a length or a checksum of its own takes it for a message. It is
#            `proxy_buffer_size`; with 64k all passes.
# Here:      a Datagram behind nginx. A test with one packet a client finds nothing.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq nginx=1.22.1-9+deb12u11 libnginx-mod-stream=1.22.1-9+deb12u11
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, subprocess, sys, time

folder = sys.argv[1]


def bound():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(10)
    return udp


backend = bound()
free = [bound(), bound()]
plain, large = [udp.getsockname()[1] for udp in free]
for udp in free:
    udp.close()
to = f"proxy_pass 127.0.0.1:{backend.getsockname()[1]};"
with open(folder + "/nginx.conf", "w") as config:
    config.write(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
        load_module {folder}/usr/lib/nginx/modules/ngx_stream_module.so;
        events {{}}
        stream {{
          server {{ listen 127.0.0.1:{plain} udp; {to} }}
          server {{ listen 127.0.0.1:{large} udp; {to} proxy_buffer_size 64k; }}
        }}"""
    )
server = subprocess.Popen([folder + "/usr/sbin/nginx", "-p", folder, "-c", folder + "/nginx.conf"])
seen = {}
try:
    # It listens once its log of errors is there and a packet has come through.
    for name, port in (("as it is", plain), ("64k", large)):
        client = bound()
        client.connect(("127.0.0.1", port))
        for _ in range(200):
            try:
                client.send(b"x" * 60_000)
                backend.settimeout(0.1)
                first, source = backend.recvfrom(65536)
                break
            except (ConnectionRefusedError, TimeoutError):
                time.sleep(0.05)
        backend.settimeout(10)
        client.send(b"x" * 60_000)
        second, source = backend.recvfrom(65536)
        backend.sendto(b"x" * 60_000, source)
        seen[name] = [len(first), len(second), len(client.recv(65536))]
        print(f"60000 bytes, {name}: the first, the second, and one back: {seen[name]}")
finally:
    server.kill()
ok = seen == {"as it is": [60_000, 16_384, 16_384], "64k": [60_000] * 3}
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
