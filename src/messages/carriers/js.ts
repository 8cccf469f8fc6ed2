/**
 * Layer 8. `js://;class=./module.js:Class`: a channel of the program's own class. The module is
 * loaded when the channel opens. './' and '../' are relative to the current directory; anything
 * else is what `import` takes. The class gets the same URL.
 *
 * An alias gives it a short name: after `context.alias('mine', 'js://;class=./module.js:Mine')` a
 * URL may be `mine://host;key=value`.
 */

import { LIFE } from '../../channels/life.ts'
import { classOf } from '../../core/checks.ts'
import { checkAsked } from '../asked.ts'
import type { Init } from '../init.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { OWN, Prefix } from '../prefixes/prefix.ts'

const checkClass = classOf(MessageChannel)

/** The channel of `js://`. Its child is the channel of the program's class. */
// Source: TLL `python://;class=module:Class`, which is for Python what this is for JavaScript.
export class Js extends Prefix {
  static override readonly protocol = 'js'

  readonly #init: Init
  /** Those of the class. */
  readonly #params: Params
  readonly #module: string
  readonly #class: string

  constructor(init: Init) {
    super(init, 'later')
    // Everything is for the class: what it does not know is refused when it is loaded.
    void init.params.values
    const text = init.params.text('class')
    const colon = text.lastIndexOf(':')
    if (colon < 1 || colon === text.length - 1) throw init.params.fault('class', 'module:Class')
    this.#init = init
    this.#params = init.params.without(key => OWN.includes(key) || /^(js\.)?class$/.test(key))
    this.#module = text.slice(0, colon)
    this.#class = text.slice(colon + 1)
  }

  override do_open(opening: Params): 'opening' {
    // They are for the class, too.
    void opening.values
    if (this.children.size > 0) return super.do_open(opening)
    this[LIFE].drive.files.load_module(this.#module).then(
      module => this.#loaded(module[this.#class], opening),
      error => this.fail(error),
    )
    return 'opening'
  }

  /** The channel may have been closed in the meantime, and even opened again. */
  #loaded(found: unknown, opening: Params): void {
    if (this.state !== 'opening' || this.children.size > 0) return
    try {
      checkClass(`class ${this.#class} of ${this.#module}`, found)
      const params = this.#params
      const child = new (found as new (init: Init) => MessageChannel)({
        ...this.#init,
        params,
        name: `${this.name}/js`,
        is_internal: true,
      })
      checkAsked('js://', params.url.entries, child)
      this.add_child(child)
      this.attach(child)
      super.do_open(opening)
    } catch (error) {
      this.fail(error)
    }
  }
}
