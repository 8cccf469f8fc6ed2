/**
 * The commands in Redis' own test scripts, which are Tcl: `r SET key {some words}`. Only those
 * whose words are literal are taken: nothing of Tcl is computed here.
 */

/** A word: in quotes, in braces, or as it is. */
const WORD = String.raw`"[^"$\[\]\\\n]*"|\{[^{}$\[\]\\\n"]*\}|[^\s$\[\]{}"\\;]+`
const COMMAND = new RegExp(String.raw`(?:^|[\s[{])r[ \t]+((?:${WORD})(?:[ \t]+(?:${WORD}))*)`, 'gm')

/** What ends or holds the server or the connection, changes either, or has no reply. */
const LEFT_OUT = new Set(
  `ACL AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER CONFIG
  DEBUG FAILOVER HELLO MIGRATE MONITOR PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT REPLICAOF RESET SHUTDOWN
  SLAVEOF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE WAIT WAITAOF`.split(/\s+/),
)

export function commandsOf(script: string): string[][] {
  const all: string[][] = []
  for (const [, text = ''] of script.matchAll(COMMAND)) {
    const words = Array.from(text.matchAll(new RegExp(WORD, 'g')), ([word]) =>
      word.replace(/^(?:"(.*)"|\{(.*)\})$/, '$1$2'),
    )
    const isLeftOut = LEFT_OUT.has(words[0]!.toUpperCase()) || words.some(w => /^block$/i.test(w))
    if (!isLeftOut) all.push(words)
  }
  return all
}
