/**
 * Certificates for tests of TLS, made by openssl: nothing secret is in the repository, and nothing
 * in it expires. The first test that asks makes them for all of them, in .build/test/.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './built.ts'

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
}

const HERE = 'DNS:localhost,IP:127.0.0.1,IP:::1'

/** Those of today; they are valid for 30 days. */
export function testCertificates(): Certificates {
  const folder = `${ROOT}.build/test/certificates-${new Date().toISOString().slice(0, 10)}`
  if (!existsSync(folder)) make(folder)
  const of = (name: string): Identity => {
    const keyFile = join(folder, `${name}.key`)
    const certFile = join(folder, `${name}.crt`)
    return {
      keyFile,
      certFile,
      key: readFileSync(keyFile, 'utf8'),
      cert: readFileSync(certFile, 'utf8'),
    }
  }
  return {
    ca: of('ca'),
    server: of('server'),
    renewed: of('renewed'),
    other: of('other'),
    expired: of('expired'),
    client: of('alice'),
    selfSigned: of('self'),
    stranger: of('stranger'),
  }
}

/** Makes them elsewhere and moves them: another process may be doing the same. */
function make(place: string): void {
  const folder = mkdtempSync(`${place}-`)
  makeIn(folder)
  try {
    renameSync(folder, place)
  } catch {
    rmSync(folder, { recursive: true })
  }
}

function makeIn(folder: string): void {
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = (name: string): void =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`)
  const ofItself = (name: string, ...extensions: string[]): void => {
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
  }
  const issued = (name: string, issuer: string, names: string, ...validity: string[]): void => {
    key(name)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
    writeFileSync(
      join(folder, `${name}.ext`),
      `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`,
    )
    writeFileSync(join(folder, `${name}.txt`), '')
    writeFileSync(
      join(folder, 'ca.cnf'),
      [
        '[ca]',
        `database=${name}.txt`,
        'rand_serial=yes',
        'default_md=sha256',
        'policy=p',
        '[p]',
        'commonName=supplied',
        '',
      ].join('\n'),
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
  }
  ofItself('ca')
  ofItself('strangers')
  issued('server', 'ca', HERE)
  issued('renewed', 'ca', HERE)
  issued('other', 'ca', 'DNS:other.test')
  issued('expired', 'ca', HERE, '-startdate', '20190101000000Z', '-enddate', '20200101000000Z')
  issued('alice', 'ca', 'DNS:alice')
  ofItself('self', `subjectAltName=${HERE}`)
  issued('stranger', 'strangers', HERE)
}
