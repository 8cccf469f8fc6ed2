#!/usr/bin/env bash
# haproxy: in its PROXY header, a client without a certificate looks like one whose certificate is
# right.
#
# Versions:  haproxy 2.6.12-1+deb12u4 of Debian 12 (bookworm), amd64, with liblua5.3-0 5.3.6-2,
#            libopentracing-c-wrapper0 1.1.3-3+b1, libopentracing1 1.6.0-4.
# Expected:  in the extension for TLS (PP2_TYPE_SSL, 0x20) of `send-proxy-v2-ssl`, the field verify
#            is "zero if the client presented a certificate and it was successfully verified, and
#            non-zero otherwise", says the specification of the protocol, which is haproxy's own.
# Seen:      with `verify optional` it is zero for a client without a certificate as well. Only the
#            flags differ: 0x01 (TLS) for it, 0x07 (TLS, a certificate on this connection, in this
#            session) for one that has shown its certificate.
# Here:      `connection.proxy_extensions.get(0x20)` has the bytes; the chapter on servers says so.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, openssl,
# 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq \
    haproxy=2.6.12-1+deb12u4 \
    liblua5.3-0=5.3.6-2 \
    libopentracing-c-wrapper0=1.1.3-3+b1 \
    libopentracing1=1.6.0-4
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, ssl, struct, subprocess, sys, time

folder = sys.argv[1]
key, certificate = folder + "/key.pem", folder + "/certificate.pem"
command = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout"
subprocess.run([*command.split(), key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
with open(folder + "/both.pem", "w") as both:
    both.write(open(key).read() + open(certificate).read())

backend = socket.create_server(("127.0.0.1", 0))
backend.settimeout(10)
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(folder + "/haproxy.cfg", "w") as config:
    config.write(
        f"""defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
listen it
  bind 127.0.0.1:{port} ssl crt {folder}/both.pem ca-file {certificate} verify optional
  server backend 127.0.0.1:{backend.getsockname()[1]} send-proxy-v2-ssl
"""
    )
libraries = {"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"}
command = [folder + "/usr/sbin/haproxy", "-db", "-q", "-f", folder + "/haproxy.cfg"]
proxy = subprocess.Popen(command, env=libraries)


def connect():
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("haproxy does not start")


def shown(has_certificate):
    """The flags and `verify` of the extension for TLS."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    if has_certificate:
        context.load_cert_chain(certificate, key)
    with context.wrap_socket(connect()) as client:
        client.sendall(b"hello")
        peer, _ = backend.accept()
        reader = peer.makefile("rb")
        family, size = struct.unpack("!13xBH", reader.read(16))
        rest = reader.read(size)
        peer.close()
    # Behind the addresses.
    at = {0x11: 12, 0x21: 36}[family]
    while at < len(rest):
        kind, length = struct.unpack_from("!BH", rest, at)
        if kind == 0x20:
            return struct.unpack_from("!BI", rest, at + 3)
        at += 3 + length


try:
    seen = [shown(False), shown(True)]
finally:
    proxy.kill()
for name, (flags, verify) in zip(("without a certificate", "with one"), seen):
    print(f"{name}: flags {flags:#04x}, verify {verify}")
sys.exit(0 if seen == [(0x01, 0), (0x07, 0)] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
