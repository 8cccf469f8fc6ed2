import t from 'tap'
import { Progress } from '../../../src/commands/cat/progress.ts'
import { scene } from '../../kit.ts'

scene(t, 'messages, bytes, rate', async (t, { engine, clock }) => {
  let out = ''
  const progress = new Progress(engine, text => (out += text))
  const said = (): string => {
    const text = out
    out = ''
    return text
  }
  progress.clear()
  t.equal(said(), '', 'nothing is shown yet')
  progress.count(500)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K1 messages, 500 B, 2.00 kB/s')
  progress.count(1_500_000)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K2 messages, 1.50 MB, 6.00 MB/s')
  progress.count(5e12)
  clock.advance(250)
  t.equal(said(), '\r\x1b[K3 messages, 5.00e+3 GB, 2.00e+4 GB/s')
  progress.clear()
  t.equal(said(), '\r\x1b[K')
  progress.stop()
  t.equal(said(), '')
})
