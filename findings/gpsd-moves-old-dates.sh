#!/usr/bin/env bash
# gpsd: a recording of before 2017 is played back with dates that are 1024 weeks later.
#
# Versions:  gpsd, libgps28 3.22-4.1+deb12u1, libbluetooth3 5.66-1+deb12u2, libusb-1.0-0
#            2:1.0.26-1, libdbus-1-3 1.14.10-1~deb12u1 of Debian 12 (bookworm), amd64.
# Expected:  NMEA has the date as day, month, year: the report that gpsd makes of a sentence `RMC`
#            has the same date. So it is from 2017 on.
# Seen:      a date of 31 December 2016 or earlier is moved by 1024 weeks (19.6 years), into the
#            future: 23 March 2010 comes as 6 November 2029, and the 23 March 1994 of the sentence
#            in every tutorial as 6 November 2013. (It seems to take the receiver for one whose
#            counter of weeks has run over: no such time can follow the latest leap second, that of
#            the end of 2016.) Weekday and time of day stay the same, and the sentences that it
#            passes on beside its reports have the old date. So a tool that imports old recordings
#            files them under days most of which have not come yet.
# Here:      a sluice client of a receiver, or of gpsd with "nmea":true, reads what was sent.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 15 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq gpsd=3.22-4.1+deb12u1 libgps28=3.22-4.1+deb12u1 \
    libbluetooth3=5.66-1+deb12u2 libusb-1.0-0=2:1.0.26-1 libdbus-1-3=1.14.10-1~deb12u1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import json, os, socket, subprocess, sys, time

folder = sys.argv[1]
libraries = f"{folder}/usr/lib/x86_64-linux-gnu:{folder}/lib/x86_64-linux-gnu"
environment = {**os.environ, "LD_LIBRARY_PATH": libraries}


def sentence(date, second):
    text = f"GPRMC,12000{second}.00,A,4807.038,N,01131.000,E,022.4,084.4,{date},003.1,W"
    check = 0
    for byte in text.encode():
        check ^= byte
    return f"${text}*{check:02X}\r\n"


def played(date):
    """The date that gpsd reports, and the one of the sentence that it passes on."""
    receiver = socket.create_server(("127.0.0.1", 0))
    receiver.settimeout(20)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = "tcp://127.0.0.1:%d" % receiver.getsockname()[1]
    command = [folder + "/usr/sbin/gpsd", "-N", "-n", "-b", "-S", str(port), source]
    gpsd = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        connection, _ = receiver.accept()
        for _ in range(500):
            try:
                watcher = socket.create_connection(("127.0.0.1", port), 20)
                break
            except OSError:
                time.sleep(0.02)
        watcher.sendall(b'?WATCH={"enable":true,"json":true,"nmea":true};\n')
        lines = watcher.makefile(encoding="latin-1")
        while '"class":"WATCH"' not in next(lines):
            pass
        passed = reported = None
        for second in range(10):
            connection.sendall(sentence(date, second).encode())
            time.sleep(0.05)
        for line in lines:
            if line.startswith("$GPRMC"):
                passed = line.split(",")[9]
            if '"class":"TPV"' in line and '"time"' in line:
                reported = json.loads(line)["time"][:10]
            if passed and reported:
                return reported, passed
    finally:
        gpsd.kill()
        gpsd.wait()


expected = {
    "230394": "2013-11-06",
    "230310": "2029-11-06",
    "311216": "2036-08-16",
    "010117": "2017-01-01",
    "270126": "2026-01-27",
}
same = True
for date, day in expected.items():
    reported, passed = played(date)
    print(f"ddmmyy {date} is passed on as {passed}, and reported as {reported}")
    same = same and (reported, passed) == (day, date)
sys.exit(0 if same else 1)
PROGRAM

timeout --signal=INT 90 python3 "$folder/program.py" "$folder"
