/** Under Bun, `import 'tap'` is the stand-in: bun --preload .build/test/runtimes/bun.js FILE */

import * as standIn from './stand-in.ts'

interface Builder {
  module(name: string, make: () => { exports: object; loader: 'object' }): void
}

const { Bun } = globalThis as unknown as {
  Bun: { plugin(plugin: { name: string; setup(builder: Builder): void }): void }
}

Bun.plugin({
  name: 'tap',
  setup: builder => builder.module('tap', () => ({ exports: { ...standIn }, loader: 'object' })),
})
