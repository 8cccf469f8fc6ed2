/**
 * The page of the to-do list, in a browser. It needs no library: it sends and gets JSON. The types
 * are those of the server, from the same file.
 */

import type { FromPage, ToPage } from './messages.ts'

/** What is used of a browser: these tests have no types of the DOM. */
interface Element {
  value: string
  textContent: string
  checked: boolean
  onchange: () => void
  onsubmit: (event: { preventDefault(): void }) => void
  append(...children: (Element | string)[]): void
}
declare const document: {
  readonly body: { readonly dataset: { url: string; state?: string } }
  querySelector(selector: string): Element
  createElement(name: string): Element
}
declare class WebSocket {
  constructor(url: string)
  onopen: () => void
  onclose: () => void
  onmessage: (event: { data: string }) => void
  send(text: string): void
}

type Item = Extract<ToPage, { t: 'todo.item' }>['p']

const socket = new WebSocket(document.body.dataset.url)
const boxes = new Map<string, Element>()
let count = 0

function send(message: FromPage): void {
  socket.send(JSON.stringify({ ...message, i: `page-${++count}` }))
}

function show({ pk, title, done }: Item): void {
  let box = boxes.get(pk)
  if (box === undefined) {
    box = document.createElement('input')
    Object.assign(box, { type: 'checkbox', name: title })
    const made = box
    box.onchange = () => send({ t: 'todo.check', p: { pk, done: made.checked } })
    boxes.set(pk, box)
    const label = document.createElement('label')
    label.append(box, title)
    const line = document.createElement('li')
    line.append(label)
    document.querySelector('ul').append(line)
  }
  box.checked = done
}

socket.onopen = () => (document.body.dataset.state = 'open')
socket.onclose = () => (document.body.dataset.state = 'closed')
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data) as ToPage
  if (message.t === 'todo.items') for (const each of message.p.items) show(each)
  else if (message.t === 'todo.item') show(message.p)
  else document.querySelector('output').textContent = data
}

const input = document.querySelector('#title')
document.querySelector('form').onsubmit = event => {
  event.preventDefault()
  send({ t: 'todo.add', p: { title: input.value } })
  input.value = ''
}
