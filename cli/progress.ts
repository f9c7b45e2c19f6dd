import { SingleBar } from 'cli-progress';
import type { LoadOptions } from '../api';

type Download = NonNullable<NonNullable<LoadOptions['hub']>['onProgress']>;
type Update = NonNullable<LoadOptions['onProgress']>;

/** Loads shorter than this show no bar. */
const PATIENCE_MS = 400;

export interface LoadBar {
  readonly update?: Update;
  readonly download?: Download;
  readonly stop: () => void;
}

/** A bar on standard error while weights come from the hub and load, where somebody looks on and it takes long enough to wonder. */
export function loadProgress(): LoadBar {
  if (process.stderr.isTTY !== true) return { stop: () => undefined };
  const started = performance.now();
  let bar: SingleBar | null = null;
  const show = (name: string, loaded: number, total: number): void => {
    if (performance.now() - started < PATIENCE_MS) return;
    const shown = { name, size: (total / 1e6).toFixed(0) };
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
  return {
    update: ({ model, loaded, total }) => show(model === 0 ? 'target' : 'draft ', loaded, total),
    download: ({ file, loaded, total }) => show(`downloading ${file}`, loaded, total),
    stop: () => bar?.stop(),
  };
}
