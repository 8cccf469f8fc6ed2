/** The settings of a stream as properties, on an object that has nothing else. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import { SharedValues } from '../../../src/channels/shared-values.ts'
import { defineAccessors } from '../../../src/channels/streams/stream-accessors.ts'
import { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { STREAM_DEFAULTS } from '../../../src/channels/streams/stream-settings.ts'
import { Engine } from '../../../src/engine.ts'
import { InvalidDelimiterError } from '../../../src/errors.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { State } from '../../../src/types.ts'
import { Bare } from '../bare.ts'

class Settings {
  declare read_delimiter: unknown
  declare encoding: unknown
  declare tls: unknown
  readonly life = new Bare({ engine: new Engine({ clock: new ManualClock() }) })[LIFE]
  readonly link = new StreamLink(this.life, new SharedValues(STREAM_DEFAULTS))

  get state(): State {
    return this.life.state
  }

  open(): void {
    this.life.driver = this.link
    this.life.beginOpening()
    this.life.open('connect')
  }

  static {
    defineAccessors<Settings>(Settings.prototype, one => one.link)
  }
}

t.test('they are read and assigned, closed and open', async t => {
  const one = new Settings()
  t.equal(one.read_delimiter, null)
  one.read_delimiter = ','
  one.encoding = 'utf8'
  t.same([one.read_delimiter, one.encoding], [',', 'utf8'])
  one.open()
  one.read_delimiter = 3
  one.encoding = 'latin1'
  t.same([one.read_delimiter, one.encoding], [3, 'latin1'])
  t.equal(one.link.settings.lasting.values.read_delimiter, ',', 'that was for this opening')
})

t.test('an invalid delimiter throws, and changes nothing', async t => {
  const one = new Settings()
  const assign = (value: unknown) => () => void (one.read_delimiter = value)
  for (const isOpen of [false, true]) {
    if (isOpen) one.open()
    for (const value of ['', -1, NaN, {}, undefined])
      t.throws(assign(value), { code: 'ERR_INVALID_DELIMITER' }, `${value}`)
    t.equal(one.read_delimiter, null)
  }
  t.throws(assign(/x*/), InvalidDelimiterError)
})

t.test('tls is what was negotiated, not what was demanded', async t => {
  const one = new Settings()
  one.tls = { servername: 'a' }
  t.same(one.link.values.tls, { servername: 'a' })
  t.equal(one.tls, undefined)
})
