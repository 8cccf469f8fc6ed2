#!/usr/bin/env bash
# collectd: as a statsd server it makes timers slower that are sampled, and fast ones vanish.
#
# Versions:  collectd-core 5.12.0-14 of Debian 12 (bookworm), amd64; the npm package `statsd` 0.9.0,
#            on any Node.
# Expected:  `t:100|ms|@0.1` says that something took 100 ms, and that nine more were not sent: the
#            time stays 100 ms, and the count is 10. So it is with statsd. A timer of 0.9 ms is
#            a timer: statsd says mean 0.9, count 1.
# Seen:      collectd divides the time by the rate, as it does with a counter: 1000 ms, count 1.
#            Whoever begins to send one timer in ten, to spare the network, has a service that is
#            ten times as slow. And it keeps whole milliseconds: 1.9 ms counts as 1 ms, and 0.9 ms
#            as 0 ms, which is not counted at all. So the better half of a fast service is missing
#            from the count, and the average is that of the slow half.
# Here:      a client of statsd on sluice sends every timer, in whole milliseconds.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" statsd@0.9.0 >/dev/null

(
  cd "$folder"
  apt-get download -qq collectd-core=5.12.0-14
  dpkg -x collectd-core_*.deb .
)

cat >"$folder/program.py" <<'PROGRAM'
import csv, glob, json, os, socket, subprocess, sys, time

folder = sys.argv[1]
os.chdir(folder)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


ports = [free_port(), free_port()]
with open("collectd.conf", "w") as config:
    config.write(
        f"""
BaseDir "{folder}"
PIDFile "{folder}/pid"
PluginDir "{folder}/usr/lib/collectd"
TypesDB "{folder}/usr/share/collectd/types.db"
Hostname h
Interval 1
LoadPlugin statsd
LoadPlugin csv
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
<Plugin statsd>
  Host "127.0.0.1"
  Port "{ports[0]}"
  TimerCount true
</Plugin>
"""
    )
with open("backend.js", "w") as backend:
    backend.write(
        """
exports.init = (_started, _config, events) => {
  events.on('flush', (_time, metrics) => console.log(JSON.stringify(metrics.timer_data)))
  return true
}
"""
    )
with open("statsd.js", "w") as config:
    options = {"port": ports[1], "address": "127.0.0.1", "mgmt_port": 0}
    options |= {"flushInterval": 1000, "backends": [folder + "/backend.js"]}
    config.write(json.dumps(options))

commands = [
    ["usr/sbin/collectd", "-f", "-C", "collectd.conf"],
    ["node", "node_modules/statsd/stats.js", "statsd.js"],
]
TIMERS = {"plain": "100|ms", "sampled": "100|ms|@0.1", "long": "1.9|ms", "short": "0.9|ms"}


def of_collectd():
    """Average in ms and count of each timer, of the interval in which it came."""
    seen = {}
    for name in TIMERS:
        rows = {"average": [], "count": []}
        for what in rows:
            for path in glob.glob(f"csv/h/statsd/*-{name}-{what}-*"):
                with open(path) as file:
                    values = [float(row["value"]) for row in csv.DictReader(file)]
                rows[what] += [value for value in values if value == value]
        if rows["average"] and rows["count"]:
            seen[name] = (max(rows["average"]) * 1000, max(rows["count"]))
    return seen


def of_statsd(text):
    seen = {}
    for line in text.splitlines():
        if line.startswith("{"):
            for name, data in json.loads(line).items():
                if data.get("count"):
                    seen[name] = (data["mean"], data["count"])
    return seen


processes = []
try:
    with open("statsd.log", "w") as log:
        for command in commands:
            processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.DEVNULL))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    results = [{}, {}]
    end = time.monotonic() + 40
    # Neither says when it listens. What comes before is lost, and so is sent again.
    while any(len(result) < len(TIMERS) for result in results) and time.monotonic() < end:
        for port, result in zip(ports, results):
            for name, value in TIMERS.items():
                if name not in result:
                    sender.sendto(f"{name}:{value}".encode(), ("127.0.0.1", port))
        time.sleep(3)
        with open("statsd.log") as log:
            results = [of_collectd(), of_statsd(log.read())]
finally:
    for process in processes:
        process.kill()
        process.wait()

rounded = [
    {name: (round(mean, 3), count) for name, (mean, count) in data.items()} for data in results
]
print("collectd, ms and count:", rounded[0])
print("statsd,   ms and count:", rounded[1])
expected = [
    {"plain": (100, 1), "sampled": (1000, 1), "long": (1, 1), "short": (0, 0)},
    {"plain": (100, 1), "sampled": (100, 10), "long": (1.9, 1), "short": (0.9, 1)},
]
sys.exit(0 if rounded == expected else 1)
PROGRAM

timeout --signal=INT 90 python3 "$folder/program.py" "$folder"
