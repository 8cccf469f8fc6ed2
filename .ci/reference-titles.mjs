// A plugin of TypeDoc: a page of the guide is called by its heading. The name of its file, which it
// would have otherwise, is README for most of them.

export function load({ converter }) {
  converter.on('createDocument', (_context, document) => {
    const text = document.content.map(part => part.text).join('')
    document.name = /^# (.+)$/m.exec(text)?.[1] ?? document.name
  })
}
