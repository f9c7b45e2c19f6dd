import { KernelError } from '../../errors';
import type { WideFinding } from './finding';
import { isWide, turnWideOn, WIDE_FLAG, wideMissing } from './flag.node';
import { type Verdict, verdict } from './verdict.node';

const OFF = /^(0|false|no|off)$/i;

let known: Promise<Verdict> | null = null;
let turnedOn: WideFinding | null = null;

/**
 * Turns wide arithmetic on for this process, for modules that are compiled from now on.
 *
 * @param wanted `auto` turns it on where it works; true refuses where it does not; false leaves the process as it is
 * @throws KernelError `unavailable` with the reason, when true was asked for
 */
export async function widen(wanted: boolean | 'auto'): Promise<WideFinding> {
  if (turnedOn !== null) return turnedOn;
  if (isWide()) return { on: true, reason: `V8 runs with --${WIDE_FLAG}` };
  if (wanted === false) return { on: false, reason: 'it was not asked for' };
  const reason = await whyNot();
  if (reason === null) {
    turnWideOn();
    turnedOn = { on: true, reason: 'its probe gave the bits of 128-bit arithmetic' };
    return turnedOn;
  }
  if (wanted === 'auto') return { on: false, reason };
  throw new KernelError('unavailable', `wide: expected a runtime that computes in 256 bits, found none: ${reason}`);
}

async function whyNot(): Promise<string | null> {
  const { TANDEM_WIDE } = process.env;
  if (TANDEM_WIDE !== undefined && OFF.test(TANDEM_WIDE)) return `the environment has TANDEM_WIDE=${TANDEM_WIDE}`;
  const missing = wideMissing();
  if (missing !== null) return missing;
  known ??= verdict();
  return known;
}
