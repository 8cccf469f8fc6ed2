/**
 * Headers of the PROXY protocol: those that are right say what they should, each beginning of one
 * waits for more, and garbage is refused by the named error.
 */

import { type ProxyHeader, readProxyHeader } from '../../src/core/proxy-header.ts'
import { coded, garbage, pick, type Random, type Target } from './target.ts'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

type Made = [header: Buffer, says: Omit<ProxyHeader, 'size'>]

const ipv4 = (random: Random): string => Array.from({ length: 4 }, () => random(256)).join('.')
const port = (random: Random): number => pick(random, [0, 1, 443, 65535, random(65536)])

/** An IPv6 address as text, without zeros: so its shortest form is the same. */
const ipv6 = (random: Random): string =>
  Array.from({ length: 8 }, () => (1 + random(0xffff)).toString(16)).join(':')

function text(random: Random): Made {
  if (random(4) === 0) return [Buffer.from(`PROXY UNKNOWN${pick(random, ['', ' x y'])}\r\n`), {}]
  const isOld = random(2) === 0
  const host = isOld ? ipv4 : ipv6
  const [remote, local] = [host(random), host(random)]
  const ports = [port(random), port(random)] as const
  const line = `PROXY ${isOld ? 'TCP4' : 'TCP6'} ${remote} ${local} ${ports.join(' ')}\r\n`
  return [Buffer.from(line), { remote: [remote, ports[0]], local: [local, ports[1]] }]
}

function binary(random: Random): Made {
  const isLocal = random(4) === 0
  const family = isLocal ? random(16) : random(3)
  const [remote, local] = [ipv4(random), ipv4(random)]
  const ports = [port(random), port(random)] as const
  const extension = Buffer.concat([Buffer.of(4, 0, 5), Buffer.from('noop!')])
  const extensions = Array.from({ length: random(3) }, () => extension)
  const after = Buffer.alloc(4)
  after.writeUInt16BE(ports[0], 0)
  after.writeUInt16BE(ports[1], 2)
  const ends = (host: string): Buffer => Buffer.from(host.split('.').map(Number))
  const isIPv4 = !isLocal && family === 1
  const both = (host: (text: string) => Buffer): Buffer =>
    Buffer.concat([host(remote), host(local), after])
  const mapped = (host: string): Buffer =>
    Buffer.concat([Buffer.alloc(10), Buffer.of(255, 255), ends(host)])
  // Nothing that follows counts if the proxy does not say whom it speaks for.
  const isUnknown = isLocal || family === 0
  const body = isUnknown
    ? garbage(random, random(40))
    : Buffer.concat([isIPv4 ? both(ends) : both(mapped), ...extensions])
  const fixed = Buffer.concat([SIGNATURE, Buffer.of(isLocal ? 0x20 : 0x21, family << 4, 0, 0)])
  fixed.writeUInt16BE(body.length, 14)
  const says: Made[1] = isUnknown ? {} : { remote: [remote, ports[0]], local: [local, ports[1]] }
  return [Buffer.concat([fixed, body]), says]
}

export const headers: Target = {
  name: 'PROXY headers',
  round(random) {
    const [header, says] = random(2) === 0 ? text(random) : binary(random)
    const faults: string[] = []
    const all = Buffer.concat([header, garbage(random, random(5))])
    const wanted = JSON.stringify({ size: header.length, ...says })
    const got = JSON.stringify(coded(() => readProxyHeader(all)))
    if (got !== wanted) faults.push(`${header.toString('hex')}: ${got}, wanted ${wanted}`)
    const part = all.subarray(0, random(header.length))
    const early = coded(() => readProxyHeader(part))
    if (early !== 'more') faults.push(`${part.toString('hex')}: ${JSON.stringify(early)}`)

    for (let i = 1 + random(4); i > 0; i--) all[random(all.length)] = random(256)
    const outcome = coded(() => readProxyHeader(all.subarray(0, random(all.length + 1))))
    const isRight =
      typeof outcome === 'string'
        ? ['more', 'ERR_PROXY_HEADER'].includes(outcome)
        : outcome.size >= 8 && outcome.size <= all.length
    if (!isRight) faults.push(`${all.toString('hex')}: ${JSON.stringify(outcome)}`)
    return faults
  },
}
