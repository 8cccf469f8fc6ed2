import t from 'tap'
import { ProgressLine } from '../../../src/commands/cat/progress-line.ts'
import { scene } from '../../kit.ts'

scene(t, 'messages, bytes, rate', async (t, { engine, clock }) => {
  let out = ''
  const screen: { columns?: number; write(text: string): unknown } = {
    write: (text: string) => (out += text),
  }
  const progress = new ProgressLine(engine, screen)
  const said = (): string => {
    const text = out
    out = ''
    return text
  }
  progress.clear()
  t.equal(said(), '', 'nothing is shown yet')
  progress.count(500)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K1 message, 500 B, 2.00 kB/s')
  progress.count(1_500_000)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K2 messages, 1.50 MB, 6.00 MB/s')
  progress.count(5e12)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K3 messages, 5.00e+3 GB, 2.00e+4 GB/s')
  progress.clear()
  t.equal(said(), '\r\x1b[K')
  // It went on in the next line, and stayed there.
  screen.columns = 20
  clock.advance(250)
  t.equal(said(), '\r\x1b[K3 messages, 5.00e+3')
  clock.advance(500)
  said()
  progress.stop()
  t.equal(said(), '\r\x1b[K3 messages, 5.00e+3 GB in 1.5 s\n', 'a summary stays')
  clock.advance(500)
  t.equal(said(), '')
})
