import { mean } from 'simple-statistics';
import type { Backend } from '../../kernels';

/** A backend that can tell how many feed-forward units a relu leaves. */
export interface Watched {
  readonly backend: Backend;
  /**
   * Runs `work` and gives the share of the units that are not zero, for each relu that ran, in order: a decoder call of a model with
   * a relu has one in each layer. Reads every activation back, so `work` must not be timed.
   */
  activeIn(work: () => Promise<void>): Promise<number[]>;
}

/** Wraps a backend's activation. Outside of `activeIn` it computes as before and nothing is read. */
export function watchActive(inner: Backend): Watched {
  let reads: Promise<Float32Array>[] | null = null;
  const activation: Backend['activation'] = (out, x, kind, gated) => {
    inner.activation(out, x, kind, gated);
    if (kind === 'relu') reads?.push(inner.read(out)); // now: the next layer overwrites the tensor
  };
  return {
    backend: { ...inner, activation },
    activeIn: async (work) => {
      const started: Promise<Float32Array>[] = [];
      reads = started;
      try {
        await work();
      } finally {
        reads = null;
      }
      return (await Promise.all(started)).map((units) => units.filter((unit) => unit !== 0).length / units.length);
    },
  };
}

/** The shares as a line; null where no relu ran. */
export function activeLine(shares: readonly number[]): string | null {
  if (shares.length === 0) return null;
  const percent = (share: number) => (100 * share).toFixed(1);
  const range = `least ${percent(Math.min(...shares))}, most ${percent(Math.max(...shares))} by layer`;
  return `active feed-forward units: ${percent(mean(shares))} % (${range})`;
}
