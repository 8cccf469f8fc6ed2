/**
 * Layer 7. Credentials: how a client proves who it is. The names are those of CONNECT.
 *
 * | given | sent |
 * |---|---|
 * | user, password | as they are |
 * | token | as it is |
 * | nkey: a seed, `SU…` | the public key, and the nonce of INFO signed with it (Ed25519) |
 * | creds: the text of a .creds file | its JWT, and the nonce signed with its seed |
 *
 * A seed, and a key, is text in base32: a prefix, 32 bytes, and their CRC-16 (XMODEM).
 */

import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { InvalidArgumentError } from '../../errors.ts'
import { NatsError } from './errors.ts'

/** What a client may be given to log in with. */
export interface Credentials {
  readonly user: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
  readonly nkey: string | undefined
  readonly creds: string | undefined
}

/** The fields of CONNECT that log in. Throws NatsError if there is nothing to sign. */
export function loginFields(given: Credentials, nonce: string): Record<string, string> {
  const { user, password, token, nkey, creds } = given
  const fields: Record<string, string> = {}
  if (user !== undefined) fields.user = user
  if (password !== undefined) fields.pass = password
  if (token !== undefined) fields.auth_token = token
  if (nkey === undefined && creds === undefined) return fields
  if (nonce === '')
    throw new NatsError('ERR_NATS_AUTH', 'the server asks for no signature: it knows no keys')
  const { seed, jwt } = creds === undefined ? { seed: nkey as string, jwt: '' } : readCreds(creds)
  const key = readSeed('nkey', seed)
  if (jwt === '') fields.nkey = publicKey(key)
  else fields.jwt = jwt
  fields.sig = sign(null, Buffer.from(nonce), key).toString('base64url')
  return fields
}

// ---- .creds files -------------------------------------------------------------------------------

const BLOCK = /-----BEGIN ([A-Z ]+)-----\s*([\w.+/=-]+)\s*-+END \1-+/g

/** The JWT and the seed in the text of a .creds file. Throws InvalidArgumentError. */
export function readCreds(text: string): { jwt: string; seed: string } {
  const blocks = new Map([...text.matchAll(BLOCK)].map(([, name, value]) => [name, value]))
  const jwt = blocks.get('NATS USER JWT')
  const seed = blocks.get('USER NKEY SEED')
  // Not the text itself: it is a secret.
  if (jwt === undefined || seed === undefined)
    throw new InvalidArgumentError('creds: it must be the text of a .creds file: a JWT and a seed')
  return { jwt, seed }
}

// ---- keys ---------------------------------------------------------------------------------------

/** The letters of base32 (RFC 4648). */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The prefix of every seed, and that of a user: in base32 they are the letters S and U. */
const SEED = 18 << 3
const USER = 20 << 3

const KEY_SIZE = 32

/** The letters of a seed. */
const SEED_LENGTH = 58

/** An Ed25519 key in DER (PKCS #8) without the seed at its end. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The private key of a user's seed. Throws InvalidArgumentError, which does not show the seed. */
export function readSeed(name: string, seed: string): KeyObject {
  const raw = fromBase32(seed)
  const isSeed =
    seed.length === SEED_LENGTH &&
    raw?.length === KEY_SIZE + 4 &&
    (raw[0]! & 0xf8) === SEED &&
    (((raw[0]! & 7) << 5) | (raw[1]! >> 3)) === USER &&
    raw.readUInt16LE(KEY_SIZE + 2) === crc16(raw.subarray(0, KEY_SIZE + 2))
  if (!isSeed) throw new InvalidArgumentError(`${name}: it must be the seed of a user, SU…`)
  const der = Buffer.concat([PKCS8, raw.subarray(2, KEY_SIZE + 2)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** The public key of a private one, as NATS writes it: `U…`. */
export function publicKey(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const raw = Buffer.concat([Buffer.from([USER]), der.subarray(-KEY_SIZE), Buffer.alloc(2)])
  raw.writeUInt16LE(crc16(raw.subarray(0, -2)), raw.length - 2)
  return toBase32(raw)
}

/** The bytes of text in base32 without padding; undefined if it is none. */
function fromBase32(text: string): Buffer | undefined {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    const five = LETTERS.indexOf(letter)
    if (five === -1) return undefined
    value = ((value << 5) | five) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}

/** Of whole groups of five bytes. */
function toBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += LETTERS[(value >> (bits - 5)) & 31]
  }
  return text
}

/** CRC-16/XMODEM: the polynomial 0x1021, and 0 at the beginning. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    crc &= 0xffff
  }
  return crc
}
