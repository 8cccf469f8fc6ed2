#!/usr/bin/env bash
# slip: with a limit of up to 1024 bytes, no message arrives, however short.
#
# Versions:  the npm package `slip`, 1.0.2, on any Node.
# Expected:  `new Decoder({ maxMessageSize })` gives each message of up to so many bytes, and calls
#            `onError` for a longer one. Without it the limit is 10 MB.
# Seen:      what is compared with the limit is the size of the buffer, which begins with 1024 bytes
#            and is doubled when it is full. So a limit of 1000, for messages of a microcontroller,
#            is an error at each byte, and nothing arrives. A limit of 2000 is one of 1024, one of
#            5000 is one of 4096, and the 10 MB are 8. And of a message that is too long it is an
#            error for each byte beyond. With `bufferSize: 1` the limit is half of what was said, or
#            more; without a limit, and with short messages, all is well.
# Here:      `max_length` counts the bytes of the message.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  slip@1.0.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const slip = require('slip')

let same = true
for (const [options, length, arrives, failures] of [
  [{}, 100, true, 0],
  [{}, 8_388_608, true, 0],
  [{}, 9_000_000, false, 9_000_000 - 8_388_608],
  [{ maxMessageSize: 1000 }, 1, false, 1],
  [{ maxMessageSize: 1000 }, 100, false, 100],
  [{ maxMessageSize: 1024 }, 100, false, 100],
  [{ maxMessageSize: 2000 }, 1024, true, 0],
  [{ maxMessageSize: 2000 }, 1500, false, 476],
  [{ maxMessageSize: 5000 }, 4096, true, 0],
  [{ maxMessageSize: 5000 }, 4500, false, 404],
  [{ maxMessageSize: 1000, bufferSize: 1 }, 512, true, 0],
  [{ maxMessageSize: 1000, bufferSize: 1 }, 600, false, 88],
]) {
  const messages = []
  let errors = 0
  const decoder = new slip.Decoder({
    ...options,
    onMessage: message => messages.push(message.length),
    onError: () => errors++,
  })
  decoder.decode(slip.encode(new Uint8Array(length).fill(1)))
  console.log(JSON.stringify(options), `${length} bytes: got ${messages}, ${errors} errors`)
  same &&= messages.join() === (arrives ? `${length}` : '') && errors === failures
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
