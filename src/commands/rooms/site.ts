/**
 * Layer 10. What `sluice-rooms` answers to requests of HTTP: the page, and the client for browsers
 * that the page loads. Nothing is loaded from anywhere else.
 */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** The texts of the two files. */
interface SiteFiles {
  readonly page: string
  readonly script: string
}

interface File {
  readonly type: string
  readonly text: string
}

/** Makes what answers. */
export function site({ page, script }: SiteFiles) {
  const files = new Map<string, File>([
    ['/', { type: 'text/html', text: page }],
    ['/sluice-rooms.js', { type: 'text/javascript', text: script }],
  ])
  const policy = policyOf(page)

  return (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '' } = request
    const file = files.get(url.replace(/\?.*/s, ''))
    const status = file === undefined ? 404 : /^(GET|HEAD)$/.test(method) ? 200 : 405
    const { type, text } =
      status === 200 ? (file as File) : { type: 'text/plain', text: REASONS[status] as string }
    response.writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-cache',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      ...(status === 405 && { allow: 'GET, HEAD' }),
    })
    response.end(method === 'HEAD' ? undefined : text)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  404: 'There is nothing here. The chat is at /\n',
  405: 'This is only to be read.\n',
}

/**
 * The page may run its own script and the one of this server, and connect to this server. What
 * somebody writes in a room must never run.
 */
function policyOf(page: string): string {
  const hashes = (tag: string): string =>
    [...page.matchAll(new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 'gs'))]
      .map(
        ([, text]) =>
          `'sha256-${createHash('sha256')
            .update(text as string)
            .digest('base64')}'`,
      )
      .join(' ')
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
