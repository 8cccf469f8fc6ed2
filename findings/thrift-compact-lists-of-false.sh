#!/usr/bin/env bash
# thrift: with the compact protocol, every boolean of a list, set or map arrives as false.
#
# Versions:  the npm package `thrift`, 0.24.0, on any Node; python3-thrift 0.17.0-2+b2 and
#            python3-six 1.16.0-4 of Debian 12 (bookworm), amd64.
# Expected:  a list [true, false, true] that TCompactProtocol has written is read as such, whoever
#            reads it.
# Seen:      Python reads what JavaScript has written. JavaScript reads [false, false, false] of
#            the same bytes, its own or Python's; sets, and the keys and values of maps, are no
#            better. No error: what follows is in its place. A boolean that is a field of a struct
#            by itself is right (it stands in the field's header), and so are lists with the binary
#            protocol: so a test of flags, or of lists of other things, finds nothing.
# Here:      in a `Struct`, a boolean is a byte, and read as one.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" thrift@0.24.0 >/dev/null

(
  cd "$folder"
  apt-get download -qq python3-thrift=0.17.0-2+b2 python3-six=1.16.0-4
  for package in *.deb; do dpkg -x "$package" .; done
)

# Both write a struct of one list and one boolean, and read it, as the generated code does.
cat >"$folder/program.cjs" <<'PROGRAM'
const { readFileSync, writeFileSync } = require('node:fs')
const thrift = require('thrift')
const { TBufferedTransport, Thrift } = thrift
const { BOOL, LIST } = Thrift.Type

const [, , action, protocol, file] = process.argv
if (action === 'write') {
  const transport = new TBufferedTransport(undefined, bytes => writeFileSync(file, bytes))
  const output = new thrift[protocol](transport)
  output.writeStructBegin('Test')
  output.writeFieldBegin('list', LIST, 1)
  output.writeListBegin(BOOL, 3)
  for (const value of [true, false, true]) output.writeBool(value)
  output.writeListEnd()
  output.writeFieldEnd()
  output.writeFieldBegin('single', BOOL, 2)
  output.writeBool(true)
  output.writeFieldEnd()
  output.writeFieldStop()
  output.writeStructEnd()
  output.flush()
} else {
  TBufferedTransport.receiver(transport => {
    const input = new thrift[protocol](transport)
    input.readStructBegin()
    input.readFieldBegin()
    const { size } = input.readListBegin()
    const list = Array.from({ length: size }, () => input.readBool())
    input.readListEnd()
    input.readFieldEnd()
    input.readFieldBegin()
    console.log(JSON.stringify([list, input.readBool()]))
  })(readFileSync(file))
}
PROGRAM

cat >"$folder/program.py" <<'PROGRAM'
import importlib, json, sys
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

action, name, path = sys.argv[1:]
protocol = getattr(importlib.import_module("thrift.protocol." + name), name)
if action == "write":
    memory = TMemoryBuffer()
    output = protocol(memory)
    output.writeStructBegin("Test")
    output.writeFieldBegin("list", TType.LIST, 1)
    output.writeListBegin(TType.BOOL, 3)
    for value in (True, False, True):
        output.writeBool(value)
    output.writeListEnd()
    output.writeFieldEnd()
    output.writeFieldBegin("single", TType.BOOL, 2)
    output.writeBool(True)
    output.writeFieldEnd()
    output.writeFieldStop()
    output.writeStructEnd()
    with open(path, "wb") as file:
        file.write(memory.getvalue())
else:
    with open(path, "rb") as file:
        source = protocol(TMemoryBuffer(file.read()))
    source.readStructBegin()
    source.readFieldBegin()
    _, size = source.readListBegin()
    values = [source.readBool() for _ in range(size)]
    source.readListEnd()
    source.readFieldEnd()
    source.readFieldBegin()
    print(json.dumps([values, source.readBool()], separators=(",", ":")))
PROGRAM

cd "$folder"
export PYTHONPATH="$folder/usr/lib/python3/dist-packages" NODE_NO_WARNINGS=1
run() {
  case $1 in
    JavaScript) node program.cjs "${@:2}" ;;
    Python) python3 program.py "${@:2}" ;;
  esac
}

same=true
for protocol in TCompactProtocol TBinaryProtocol; do
  for writer in JavaScript Python; do
    run "$writer" write "$protocol" bytes
    for reader in JavaScript Python; do
      seen=$(run "$reader" read "$protocol" bytes)
      echo "$protocol, from $writer to $reader: $seen"
      expected='[[true,false,true],true]'
      if [ "$protocol $reader" = 'TCompactProtocol JavaScript' ]; then
        expected='[[false,false,false],true]'
      fi
      [ "$seen" = "$expected" ] || same=false
    done
  done
done
$same
