import type { PairedRatio } from '../harness/interleave';
import { PEERS, type PeerType } from './peers';
import { type Setting, Worker } from './worker';

/** `length` ids that end with EOS; the others are above pad, EOS and unknown. Each `number` has other ids. */
export function sourceIds(length: number, number = 0): number[] {
  return [...Array.from({ length: length - 1 }, (_, i) => 3 + ((i * 9973 + number * 7919) % 32000)), 1];
}

/** A peer that takes no part, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** Starts the peers one after another and adds them to `workers`; each is stopped until its turn. Returns those that did not start. */
export async function startAll(setting: Setting, only: string, workers: Worker[]): Promise<Skipped[]> {
  const skipped: Skipped[] = [];
  const wanted = only === '' ? null : new Set(only.split(',').map((name) => name.trim()));
  for (const peer of PEERS) {
    if (wanted && !wanted.has(peer.name)) continue;
    for (const type of peer.types) {
      const name = `${peer.name} ${type}`;
      if (process.stderr.isTTY) process.stderr.write(`loading ${name}\n`);
      try {
        const worker = await Worker.start(peer, type, setting);
        worker.rest();
        workers.push(worker);
      } catch (error) {
        skipped.push({ name, reason: lastLine(error) });
      }
    }
  }
  return skipped;
}

export function reasons(skipped: readonly Skipped[]): string {
  return skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}

function lastLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return lines[lines.length - 1].slice(0, 160);
}

/** The first float32 peer, whose tokens those of all are compared with. */
export function judgeOf<W extends { readonly name: string }>(workers: readonly W[]): W {
  return workers.find(({ name }) => name.endsWith(' f32') && !name.startsWith('tandem')) ?? workers[0];
}

/** The name of Tandem's case in the same type (float32 against float32, int8 against int8); null if it did not run. */
export function opponent(name: string, workers: readonly { readonly name: string }[]): string | null {
  const type = name.slice(name.lastIndexOf(' ') + 1) as PeerType;
  return (
    ['wasm', 'cpu'].map((one) => `tandem ${one} ${type}`).find((one) => workers.some((w) => w.name === one)) ?? null
  );
}

/** Number of ids at the start of `own` that equal those of `judge`. */
export function agreeing(own: readonly number[], judge: readonly number[]): number {
  const differs = own.findIndex((token, i) => token !== judge[i]);
  return differs < 0 ? own.length : differs;
}

/** A ratio as tables have it: its median, and the quartiles over the rounds. */
export function quartiles({ median, low, high }: Pick<PairedRatio, 'median' | 'low' | 'high'>): string {
  return `${median.toFixed(2)}× (${low.toFixed(2)}–${high.toFixed(2)})`;
}
