#!/usr/bin/env bash
# redis-server: when the client ends its side, replies that it has not taken yet are dropped.
#
# Versions:  redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian 12 (bookworm), amd64, its
#            libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3; and memcached 1.6.18-1+deb12u1,
#            libevent-2.1-7 2.1.12-stable-8+deb12u1.
# Expected:  a client sends its commands, ends its side (`nc -N`, shutdown, half-close), and reads
#            the reply to each: so memcached does it, with 100 of 100 replies of 100 KB.
# Seen:      once Redis reads the end, it closes. What the socket has not taken yet is gone. Of 100
#            replies of 100 KB fewer than 10 begin, and an ordinary end follows in the middle of
#            one. Short replies all come, so a small test passes.
# Here:      `half_close()`: the guide names peers that take it for the end of both sides. A
#            RedisClient that ends waits for its replies first.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 15 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq redis-tools=5:7.0.15-1~deb12u10 libjemalloc2=5.3.0-1 liblzf1=3.6-3 \
    memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8+deb12u1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, subprocess, sys, threading, time

folder = sys.argv[1]
# What it is depends on its name.
os.symlink(folder + "/usr/bin/redis-check-rdb", folder + "/redis-server")
environment = {"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"}
servers = {
    "redis": [folder + "/redis-server", "--port", "0", "--save", "", "--unixsocket"],
    "memcached": [folder + "/usr/bin/memcached", "-u", "root", "-s"],
}
VALUE = b"x" * 100_000
SET = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n"
KEYS = {
    "redis": (SET + VALUE + b"\r\n", b"GET k\r\n", b"$100000\r\n"),
    "memcached": (b"set k 0 0 100000\r\n" + VALUE + b"\r\n", b"get k\r\n", b"VALUE k 0 100000\r\n"),
}


def reached(path):
    for _ in range(500):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        try:
            client.connect(path)
            return client
        except OSError:
            client.close()
            time.sleep(0.02)
    sys.exit(path + " does not listen")


seen, processes = {}, []
try:
    for name, command in servers.items():
        path = f"{folder}/{name}.sock"
        processes.append(
            subprocess.Popen(
                command + [path], cwd=folder, env=environment, stdout=subprocess.DEVNULL
            )
        )
        client = reached(path)
        store, get, head = KEYS[name]
        client.sendall(store + get * 100)
        client.shutdown(socket.SHUT_WR)
        # It is not in a hurry to read.
        time.sleep(1)
        answer = bytearray()
        while part := client.recv(1 << 20):
            answer += part
        seen[name] = answer.count(head)
        print(f"{name}: {seen[name]} replies of 100")
finally:
    for process in processes:
        process.kill()
sys.exit(0 if seen["memcached"] == 100 and seen["redis"] < 10 else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
