#!/usr/bin/env bash
# mysql2, mariadb: a time that nobody has entered is in 1899, and May without a day is April 30.
#
# Versions:  the npm packages `mysql2`, 3.24.6, and `mariadb`, 3.5.4, on any Node;
#            mariadb-server-core and mariadb-common 1:10.11.19-0+deb12u1, libaio1 0.3.113-4,
#            liburing2 2.3-3 and libnuma1 2.0.16-1 of Debian 12 (bookworm), amd64.
# Expected:  MariaDB as it is, and MySQL if it is let, keep "0000-00-00" for no date, and
#            "2026-05-00" for a day of May that is not known ("for birthdates", says the manual).
#            What is no date of JavaScript is an Invalid Date, or a text; `query` and `execute` read
#            the same row alike. The year 50 is the year 50.
# Seen:      the three numbers are handed to `Date`, which counts on: day 0 is the last day of the
#            month before, month 0 that of the year before, and a year below 100 is in the 20th
#            century. It depends on the way: `query` reads no DATE as November 30, 1899, and no
#            DATETIME as Invalid Date; `execute` just the other way round. A test with one of them
#            finds the Invalid Date. mariadb has null for no DATE, and else the same. And a FLOAT of
#            0.1 is 0.1 to `query`, and 0.10000000149011612 to `execute`. With a timezone as
#            "+02:00" they are Invalid Dates in all four, and the year 50 is right in three.
# Here:      a codec refuses what has no value in JavaScript, and reads it alike on each way.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, and 100 MB.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  mysql2@3.24.6 mariadb@3.5.4 >/dev/null
(
  cd "$folder"
  apt-get download -qq mariadb-server-core=1:10.11.19-0+deb12u1 \
    mariadb-common=1:10.11.19-0+deb12u1 libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1
  for package in *.deb; do dpkg -x "$package" .; done
  mkdir data
)

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { createServer } = require('node:net')
const mariadb = require('mariadb')
const { createConnection } = require('mysql2/promise')

async function main() {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  await once(free, 'close')
  // Without tables of users, and so without a password.
  const options = ['--no-defaults', '--user=root', '--skip-grant-tables', '--skip-log-bin']
  options.push(`--datadir=${__dirname}/data`, `--socket=${__dirname}/socket`)
  options.push(`--lc-messages-dir=${__dirname}/usr/share/mysql`, '--innodb-log-file-size=4M')
  options.push('--bind-address=127.0.0.1', `--port=${port}`)
  const server = spawn(`${__dirname}/usr/sbin/mariadbd`, options, {
    env: { LD_LIBRARY_PATH: `${__dirname}/usr/lib/x86_64-linux-gnu` },
    stdio: 'ignore',
  })
  process.on('exit', () => server.kill('SIGKILL'))
  /** A connection, once the server takes one. */
  const connected = async timezone => {
    for (;;) {
      try {
        return await createConnection({ host: '127.0.0.1', port, user: 'root', timezone })
      } catch (error) {
        if (error.code !== 'ECONNREFUSED') throw error
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
  }
  const show = date => {
    if (date === null) return 'null'
    return Number.isNaN(+date) ? 'Invalid' : date.toISOString().slice(0, 10)
  }

  const results = []
  for (const timezone of ['Z', '+02:00']) {
    const client = await connected(timezone)
    await client.query('CREATE DATABASE IF NOT EXISTS t')
    await client.query('USE t')
    for (const text of ['2026-05-31', '0000-00-00', '2026-05-00', '0050-06-15']) {
      await client.query('CREATE OR REPLACE TABLE days (d DATE, t DATETIME)')
      await client.query(`INSERT INTO days VALUES ('${text}', '${text} 12:00:00')`)
      const select = 'SELECT d, t, CAST(d AS CHAR) AS stored FROM days'
      const [[queried]] = await client.query(select)
      const [[executed]] = await client.execute(select)
      const seen = [queried.d, queried.t, executed.d, executed.t].map(show)
      results.push([timezone, queried.stored, ...seen].join(' '))
    }
    const [[queried]] = await client.query('SELECT CAST(0.1 AS FLOAT) AS f')
    const [[executed]] = await client.execute('SELECT CAST(0.1 AS FLOAT) AS f')
    results.push([timezone, 'FLOAT', queried.f, executed.f].join(' '))
    await client.end()
  }
  const other = await mariadb.createConnection({
    host: '127.0.0.1',
    port,
    user: 'root',
    timezone: 'Z',
  })
  for (const text of ['0000-00-00', '2026-05-00']) {
    const select = `SELECT CAST('${text}' AS DATE) AS d, CAST('${text} 12:00:00' AS DATETIME) AS t`
    const [queried] = await other.query(select)
    const [executed] = await other.execute(select)
    const seen = [queried.d, queried.t, executed.d, executed.t].map(show)
    results.push(['mariadb', text, ...seen].join(' '))
  }
  await other.end()
  server.kill('SIGKILL')
  await once(server, 'exit')
  console.log('timezone, stored, query DATE and DATETIME, execute DATE and DATETIME:')
  for (const result of results) console.log(`  ${result}`)
  const expected = [
    'Z 2026-05-31 2026-05-31 2026-05-31 2026-05-31 2026-05-31',
    'Z 0000-00-00 1899-11-30 Invalid Invalid 1899-11-30',
    'Z 2026-05-00 2026-04-30 Invalid 2026-04-30 2026-04-30',
    'Z 0050-06-15 1950-06-15 1950-06-15 1950-06-15 1950-06-15',
    'Z FLOAT 0.1 0.10000000149011612',
    '+02:00 2026-05-31 2026-05-30 2026-05-31 2026-05-30 2026-05-31',
    '+02:00 0000-00-00 Invalid Invalid Invalid Invalid',
    '+02:00 2026-05-00 Invalid Invalid Invalid Invalid',
    '+02:00 0050-06-15 0050-06-14 1950-06-15 0050-06-14 0050-06-15',
    '+02:00 FLOAT 0.1 0.10000000149011612',
    'mariadb 0000-00-00 null Invalid null 1899-11-30',
    'mariadb 2026-05-00 2026-04-30 Invalid 2026-04-30 2026-04-30',
  ]
  process.exit(results.join('\n') === expected.join('\n') ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
