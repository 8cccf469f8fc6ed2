/**
 * Certificates for tests of TLS, made by openssl in a folder of their own: nothing secret is in the
 * repository, and nothing in it expires.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, as text and as files. */
export interface Identity {
  readonly key: string
  readonly cert: string
  readonly keyFile: string
  readonly certFile: string
}

export interface Certificates {
  /** Who issued all of them but `selfSigned` and `stranger`. */
  readonly ca: Identity
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Identity
  /** The same, another key. */
  readonly renewed: Identity
  /** For other.test only. */
  readonly other: Identity
  /** For localhost, until 2020. */
  readonly expired: Identity
  /** A client's, of the name alice. */
  readonly client: Identity
  /** For localhost, issued by itself. */
  readonly selfSigned: Identity
  /** For localhost, issued by somebody else. */
  readonly stranger: Identity
  /** Removes the files. */
  remove(): void
}

const HERE = 'DNS:localhost,IP:127.0.0.1,IP:::1'

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const identity = (name: string): Identity => {
    const keyFile = join(folder, `${name}.key`)
    const certFile = join(folder, `${name}.crt`)
    return {
      keyFile,
      certFile,
      key: readFileSync(keyFile, 'utf8'),
      cert: readFileSync(certFile, 'utf8'),
    }
  }
  const key = (name: string): void =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
  const ofItself = (name: string, ...extensions: string[]): Identity => {
    key(name)
    openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      `/CN=${name}`,
      '-days',
      '30',
      '-out',
      `${name}.crt`,
      ...extensions.flatMap(each => ['-addext', each]),
    )
    return identity(name)
  }
  const issued = (name: string, issuer: string, names: string, ...validity: string[]): Identity => {
    key(name)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
    writeFileSync(
      join(folder, `${name}.ext`),
      `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`,
    )
    writeFileSync(join(folder, `${name}.txt`), '')
    writeFileSync(
      join(folder, 'ca.cnf'),
      `[ca]\ndatabase=${name}.txt\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
    )
    const until = validity.length > 0 ? validity : ['-days', '30']
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      '-name',
      'ca',
      '-cert',
      `${issuer}.crt`,
      '-keyfile',
      `${issuer}.key`,
      '-outdir',
      '.',
      '-in',
      `${name}.csr`,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
      ...until,
    )
    return identity(name)
  }
  const ca = ofItself('ca')
  ofItself('strangers')
  return {
    ca,
    server: issued('server', 'ca', HERE),
    renewed: issued('renewed', 'ca', HERE),
    other: issued('other', 'ca', 'DNS:other.test'),
    expired: issued(
      'expired',
      'ca',
      HERE,
      '-startdate',
      '20190101000000Z',
      '-enddate',
      '20200101000000Z',
    ),
    client: issued('alice', 'ca', 'DNS:alice'),
    selfSigned: ofItself('self', `subjectAltName=${HERE}`),
    stranger: issued('stranger', 'strangers', HERE),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
