/**
 * Logging in. The seed and its key are an example of the documentation of NATS, so that not only
 * our own reading of them is tested.
 */

import { Buffer } from 'node:buffer'
import { createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import {
  type Credentials,
  loginFields,
  publicKey,
  readCreds,
  readSeed,
} from '../../../src/protocols/nats/credentials.ts'
import { thrown } from '../../kit.ts'

const SEED = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'
const KEY = 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4'

const CREDS = `-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ.e30.c2ln
------END NATS USER JWT------

************************* IMPORTANT *************************

-----BEGIN USER NKEY SEED-----
${SEED}
------END USER NKEY SEED------
`

const NONE: Credentials = {
  user: undefined,
  password: undefined,
  token: undefined,
  nkey: undefined,
  creds: undefined,
}

t.test('as it is given', async t => {
  t.same(loginFields(NONE, ''), {})
  t.same(loginFields({ ...NONE, user: 'a', password: 'b' }, ''), { user: 'a', pass: 'b' })
  t.same(loginFields({ ...NONE, token: 'c' }, 'n'), { auth_token: 'c' })
})

t.test('a key: the nonce is signed with it', async t => {
  t.equal(publicKey(readSeed('nkey', SEED)), KEY)
  const { nkey, sig, jwt } = loginFields({ ...NONE, nkey: SEED }, 'nonce')
  t.same([nkey, jwt], [KEY, undefined])
  const key = createPublicKey(readSeed('nkey', SEED))
  t.ok(verify(null, Buffer.from('nonce'), key, Buffer.from(sig as string, 'base64url')))
})

t.test('a .creds file', async t => {
  t.same(readCreds(CREDS), { jwt: 'eyJ0eXAiOiJKV1QifQ.e30.c2ln', seed: SEED })
  const fields = loginFields({ ...NONE, creds: CREDS.replaceAll('\n', '\r\n') }, 'nonce')
  t.same(Object.keys(fields), ['jwt', 'sig'])
  t.same(fields.sig, loginFields({ ...NONE, nkey: SEED }, 'nonce').sig)
})

t.test('a server that asks for no signature', async t => {
  t.equal(
    thrown(() => loginFields({ ...NONE, nkey: SEED }, '')),
    'ERR_NATS_AUTH',
  )
})

t.test('what is no seed is refused, and not shown', async t => {
  const wrong = [
    '', SEED.toLowerCase(), SEED.slice(0, -1), `${SEED}A`, `${SEED.slice(0, -1)}X`, KEY,
    // Of an account, not of a user.
    'SAANWFZ3JINNPERWT3ALE45U7GYT2ZDW6GJUIVPDKUF6GKAX6AISZJMAS4',
  ] // prettier-ignore
  for (const seed of wrong) {
    t.equal(
      thrown(() => readSeed('nkey', seed)),
      'ERR_INVALID_ARGUMENT',
    )
    t.throws(() => readSeed('nkey', seed), { message: 'nkey: it must be the seed of a user, SU…' })
  }
  for (const text of ['', SEED, CREDS.replace('USER NKEY', 'OTHER')])
    t.throws(() => readCreds(text), { message: /^creds: it must be the text of a .creds file/ })
})
