/** A program's own channels, for js.test.ts to load. */

import { Echo } from '../../../src/messages/carriers/echo.ts'
import { MessageChannel } from '../../../src/messages/message-channel.ts'

export class Mine extends MessageChannel {
  static override readonly protocol = 'mine'
  static override readonly parameters = ['greeting']
  override do_post({ data }: { data: Buffer }): void {
    this.emit(`${this.params.text('greeting')} ${data}`)
  }
}

export class Slow extends Echo {}

export const nothing = 5
