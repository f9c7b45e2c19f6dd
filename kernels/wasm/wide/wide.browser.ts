import type { WideFinding } from './finding';

/** A page cannot set flags of the engine. */
export async function widen(wanted: boolean | 'auto'): Promise<WideFinding> {
  return { on: false, reason: wanted === false ? 'it was not asked for' : 'a page cannot turn it on' };
}
