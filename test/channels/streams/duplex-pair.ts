/** Two Duplexes: what is written to one is read from the other. (`duplexPair` needs Node 22.) */

import { Duplex } from 'node:stream'

class End extends Duplex {
  other!: End
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other.push(chunk)
    done()
  }
  override _final(done: () => void): void {
    this.other.push(null)
    done()
  }
}

export function duplexPair(): [Duplex, Duplex] {
  const [one, other] = [new End(), new End()]
  one.other = other
  other.other = one
  return [one, other]
}
