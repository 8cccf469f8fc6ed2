#!/usr/bin/env bash
# haproxy, nginx, lighttpd: a PROXY header that comes in two segments is refused. Apache waits.
#
# Versions:  haproxy 2.6.12-1+deb12u4, nginx and libnginx-mod-stream 1.22.1-9+deb12u11, lighttpd
#            1.4.69-1, apache2-bin 2.4.71-1~deb12u1, of Debian 12 (bookworm), amd64.
# Expected:  TCP cuts where it likes, so a server waits for the rest of the header. The PROXY
#            protocol allows to drop a header that comes in parts, but recommends to be tolerant.
# Seen:      haproxy, whose authors wrote that text, nginx and lighttpd close the connection if the
#            first read does not hold the whole header: of version 1 and of version 2, cut after one
#            byte or before the last. Apache answers in each case. Between the header and the
#            request each of them waits.
# Here:      a server with `proxy_protocol` waits for the rest. A client must give the whole header
#            to one `write`, before anything else.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 \
    libopentracing1 nginx=1.22.1-9+deb12u11 libnginx-mod-stream=1.22.1-9+deb12u11 \
    lighttpd=1.4.69-1 libxxhash0 libnettle8 apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, subprocess, sys, threading, time

folder = sys.argv[1]
environment = {"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"}


def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# What stands behind all of them: it answers each connection that sends something.
backend = socket.create_server(("127.0.0.1", 0))
to = backend.getsockname()[1]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def serve():
    while True:
        connection, _ = backend.accept()
        if connection.recv(65536):
            connection.sendall(ANSWER)
        connection.close()


threading.Thread(target=serve, daemon=True).start()

ports = {name: free() for name in ("haproxy", "nginx", "lighttpd", "apache")}
configurations = {
    "haproxy": f"""
defaults
  mode tcp
  timeout client 10s
  timeout server 10s
  timeout connect 10s
listen here
  bind 127.0.0.1:{ports["haproxy"]} accept-proxy
  server there 127.0.0.1:{to}
""",
    "nginx": f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
load_module {folder}/usr/lib/nginx/modules/ngx_stream_module.so;
events {{}}
stream {{
  server {{ listen 127.0.0.1:{ports["nginx"]} proxy_protocol; proxy_pass 127.0.0.1:{to}; }}
}}
""",
    "lighttpd": f"""
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {ports["lighttpd"]}
server.modules = ("mod_extforward", "mod_proxy")
extforward.hap-PROXY = "enable"
extforward.forwarder = ("all" => "trust")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {to})))
""",
    "apache": f"""
ServerRoot {folder}
ServerName here
Listen 127.0.0.1:{ports["apache"]}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
LoadModule mpm_event_module usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module usr/lib/apache2/modules/mod_authz_core.so
LoadModule remoteip_module usr/lib/apache2/modules/mod_remoteip.so
LoadModule proxy_module usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module usr/lib/apache2/modules/mod_proxy_http.so
RemoteIPProxyProtocol On
ProxyPass / http://127.0.0.1:{to}/
""",
}
for name, text in configurations.items():
    with open(f"{folder}/{name}.conf", "w") as file:
        file.write(text)
sbin = folder + "/usr/sbin/"
commands = {
    "haproxy": [sbin + "haproxy", "-db", "-f", folder + "/haproxy.conf"],
    "nginx": [sbin + "nginx", "-p", folder, "-c", folder + "/nginx.conf"],
    "lighttpd": [
        sbin + "lighttpd", "-D", "-f", folder + "/lighttpd.conf", "-m", folder + "/usr/lib/lighttpd"
    ],
    "apache": [sbin + "apache2", "-X", "-f", folder + "/apache.conf"],
}

FIRST = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"
SECOND = (
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 0, 80])
)
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


def answer(port, *segments):
    for _ in range(500):
        try:
            client = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.02)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.settimeout(20)
    try:
        for segment in segments:
            client.sendall(segment)
            time.sleep(0.2)
        return client.recv(15) == ANSWER[:15]
    except ConnectionError:
        return False
    finally:
        client.close()


seen, processes = {}, []
try:
    for name, command in commands.items():
        log = open(f"{folder}/{name}.out", "w")
        processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        seen[name] = [
            answer(ports[name], *segments)
            for head in (FIRST, SECOND)
            for segments in (
                (head + REQUEST,),
                (head, REQUEST),
                (head[:1], head[1:] + REQUEST),
                (head[:-1], head[-1:] + REQUEST),
            )
        ]
        print(name, ["answered" if good else "closed" for good in seen[name]])
finally:
    for process in processes:
        process.kill()
refuses = [True, True, False, False] * 2
waits = [True] * 8
expected = {"haproxy": refuses, "nginx": refuses, "lighttpd": refuses, "apache": waits}
sys.exit(0 if seen == expected else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
