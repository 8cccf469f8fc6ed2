#!/usr/bin/env bash
# etcd: in a transaction, "the value is not x" is false for a key that does not exist.
#
# Versions:  etcd-server 3.4.23-4+b4 of Debian 12 (bookworm), amd64.
# Expected:  a key that does not exist is not locked. So a transaction that compares its value as
#            NOT_EQUAL to "locked" takes the branch for success, as one that compares its version,
#            or a revision, as less than 1 does: there a missing key counts as 0.
# Seen:      each comparison of a value fails as long as there is no key: NOT_EQUAL as EQUAL does,
#            and GREATER and LESS as well, so the two halves of a condition can both be false. The
#            first node ever takes the branch for failure, and there is no error. Once the key has
#            been written, also with an empty value, all is as expected: a test that sets up its
#            key first finds nothing. To ask for "not x" takes two transactions, or a version.
# Here:      a `Relay` on etcd compares versions or revisions, and no values.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && apt-get download -qq etcd-server=3.4.23-4+b4 && dpkg -x etcd-server_*.deb .)

cat >"$folder/program.py" <<'PROGRAM'
import base64, json, socket, subprocess, sys, time, urllib.request

folder = sys.argv[1]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


client, peer = (f"http://127.0.0.1:{free_port()}" for _ in "ab")
command = [folder + "/usr/bin/etcd", "--data-dir", folder + "/data"]
for option, url in (("client", client), ("peer", peer)):
    command += [f"--listen-{option}-urls", url]
command += ["--advertise-client-urls", client, "--initial-advertise-peer-urls", peer]
command += ["--initial-cluster", "default=" + peer]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def call(method, **body):
    request = urllib.request.Request(client + "/v3/kv/" + method, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def text(string):
    return base64.b64encode(string.encode()).decode()


def holds(target, result, **to):
    compare = {"key": text("lock"), "target": target, "result": result, **to}
    return call("txn", compare=[compare]).get("succeeded", False)


def compare_all():
    values = [holds("VALUE", how, value=text("x")) for how in ("NOT_EQUAL", "EQUAL")]
    values += [holds("VALUE", how, value=text("x")) for how in ("LESS", "GREATER")]
    versions = [holds("VERSION", "LESS", version="1"), holds("VERSION", "NOT_EQUAL", version="5")]
    return values, versions


try:
    for _ in range(500):
        try:
            call("range", key=text("lock"))
            break
        except OSError:
            time.sleep(0.02)
    missing = compare_all()
    call("put", key=text("lock"), value="")
    empty = compare_all()
finally:
    server.kill()
    server.wait()
for name, (values, versions) in (("missing", missing), ("empty", empty)):
    print(f"{name}: value !=, =, <, > x: {values}; version < 1, != 5: {versions}")
expected = (([False] * 4, [True, True]), ([True, False, True, False], [False, True]))
sys.exit(0 if (missing, empty) == expected else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
