import { SingleBar } from 'cli-progress';
import type { LoadOptions } from '../api';

type Update = NonNullable<LoadOptions['onProgress']>;

/** Loads shorter than this show no bar. */
const PATIENCE_MS = 400;

/** A bar on standard error while weights load, where somebody looks on and it takes long enough to wonder. */
export function loadProgress(): { readonly update?: Update; readonly stop: () => void } {
  if (process.stderr.isTTY !== true) return { stop: () => undefined };
  const started = performance.now();
  let bar: SingleBar | null = null;
  const update: Update = ({ model, loaded, total }) => {
    if (performance.now() - started < PATIENCE_MS) return;
    const shown = { name: model === 0 ? 'target' : 'draft ', size: (total / 1e6).toFixed(0) };
    if (bar === null) {
      bar = new SingleBar({
        format: '{name} {bar} {percentage}% of {size} MB',
        clearOnComplete: true,
        hideCursor: true,
      });
      bar.start(total, loaded, shown);
    }
    bar.setTotal(total);
    bar.update(loaded, shown);
  };
  return { update, stop: () => bar?.stop() };
}
