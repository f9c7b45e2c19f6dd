import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { traceFile } from '../../cli/generate/traces';
import { type Trace, TraceRecorder } from '../../index';
import { EXAMPLES, inNode, SAMPLED } from './site';

/** The golden trace: what the bundled pair does with one text and one seed. scripts/explorer-golden.ts makes it. */
export const GOLDEN = join(__dirname, 'goldens', 'trace.json');
export const GOLDEN_TEXT = EXAMPLES[2];
export const GOLDEN_TOKENS = 40;
/** Entries that the page keeps of each distribution. */
export const ENTRIES = 6;
/** Digits after the point to which probabilities are compared. */
const DIGITS = 9;

/** A trace without its times, with its probabilities to `DIGITS` digits: what machines have in common. */
export function comparable({ rounds, source, startToken, ids, stopReason }: Trace): unknown {
  const short = (value: unknown): unknown => {
    if (typeof value === 'number') return Number(value.toFixed(DIGITS));
    if (Array.isArray(value)) return value.map(short);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, short(one)]));
  };
  return { source, startToken, ids, stopReason, rounds: rounds.map(({ milliseconds: _, ...round }) => short(round)) };
}

/** What Node's trace is for a text, with the settings of the page's link, and so many entries of each distribution. */
export async function traceInNode(text: string, maxNewTokens: number, entries = ENTRIES): Promise<Trace> {
  const recorder = new TraceRecorder(entries);
  await inNode(text, { ...SAMPLED, maxNewTokens, trace: recorder });
  return recorder.trace;
}

export function readGolden(): { readonly rounds: readonly { accepted: number; proposal: readonly unknown[] }[] } {
  return JSON.parse(readFileSync(GOLDEN, 'utf8'));
}

/** A trace as `tandem generate --trace` writes it. */
export async function writtenByCommand(trace: Trace): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-trace-'));
  const file = await traceFile(join(folder, 'trace.jsonl'));
  file?.write(trace);
  file?.close();
  const text = readFileSync(join(folder, 'trace.jsonl'), 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}
