/**
 * Layer 9. Conformance: holds any implementation of PacketChannel to its promises, and reports. It
 * needs no test framework.
 *
 * Each check makes a channel of its own, and closes it. What a check needs of the server's side
 * (something pushed, a connection that breaks) the fixture does. A check whose need is not met is
 * skipped, and the report says so.
 */

import {
  checkDuration,
  checkFunction,
  type Checks,
  checkWait,
  instanceOf,
} from '../../core/checks.ts'
import type { Complete } from '../../core/option-types.ts'
import { checkOptions } from '../../core/options.ts'
import { Engine } from '../../engine.ts'
import { ChannelError, messageOf } from '../../errors.ts'
import { type ConformanceFixture, Probe } from './conformance-probe.ts'
import { type PromiseCheck, RULES } from './conformance-rules.ts'

/** One promise, and how it was kept. */
export interface ConformanceCheck {
  /** What a channel must do. */
  readonly rule: string
  /** Why it did not, or was not tried; '' if it did. */
  readonly why: string
}

/** What `check_packet_channel` has found. */
export interface ConformanceReport {
  /** The promises that were kept. */
  readonly passed: readonly ConformanceCheck[]
  /** Those that were broken. */
  readonly failed: readonly ConformanceCheck[]
  /** Those that could not be tried: the fixture does not do what they need. */
  readonly skipped: readonly ConformanceCheck[]
}

/** A channel has broken a promise. The message has a line for each. Code ERR_CONFORMANCE. */
export class ConformanceError extends ChannelError {
  /** All that was found. */
  readonly report: ConformanceReport

  constructor(report: ConformanceReport) {
    const lines = report.failed.map(({ rule, why }) => `  ${rule}: ${why}`)
    const what = 'the channel does not keep to the contract of PacketChannel'
    super('ERR_CONFORMANCE', `${what}:\n${lines.join('\n')}`)
    this.report = report
  }
}

const FIXTURE_CHECKS: Checks<ConformanceFixture> = {
  make: checkFunction,
  make_hopeless: checkFunction,
  received: checkFunction,
  push: checkFunction,
  drop: checkFunction,
  restore: checkFunction,
  engine: instanceOf(Engine),
  timeout: checkDuration,
  quiet: checkWait,
}

/**
 * Holds a channel of yours to what PacketChannel promises. Resolves with a report if every promise
 * was kept, apart from those that the fixture cannot try. Rejects with ConformanceError, whose
 * message has a line for each promise that was broken, and with InvalidArgumentError for an invalid
 * fixture.
 *
 * @example
 * await check_packet_channel({ make: (...callbacks) => new Mine('mine', ...callbacks) })
 */
export async function check_packet_channel(
  fixture: ConformanceFixture,
): Promise<ConformanceReport> {
  checkOptions('check_packet_channel', fixture, FIXTURE_CHECKS, ['make'])
  const report = {
    passed: [] as ConformanceCheck[],
    failed: [] as ConformanceCheck[],
    skipped: [] as ConformanceCheck[],
  }
  for (const [rule, needs, check] of RULES) {
    const missing = needs.filter(name => fixture[name] === undefined)
    if (missing.length > 0) report.skipped.push({ rule, why: `there is no ${missing.join(', ')}` })
    else {
      const why = await outcome(fixture, check)
      ;(why === '' ? report.passed : report.failed).push({ rule, why })
    }
  }
  if (report.failed.length > 0) throw new ConformanceError(report)
  return report
}

async function outcome(fixture: ConformanceFixture, check: PromiseCheck): Promise<string> {
  const probe = new Probe(fixture)
  const why = await check(probe, fixture as Complete<ConformanceFixture>).then(() => '', messageOf)
  closeSafely(probe)
  return why
}

function closeSafely({ channel }: Probe): void {
  try {
    channel?.close()
  } catch {
    // The check has failed already, or says nothing of close.
  }
}
