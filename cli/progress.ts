import { SingleBar } from 'cli-progress';
import type { GenerateOptions, Progress } from '../api';
import { printable } from '../common';

/** A load that takes less time than this shows no bar. */
const PATIENCE_MS = 400;

/** A bar on standard error while weights are downloaded and loaded. Only a terminal gets one, and not where `quiet` is asked for. */
export function loadProgress(quiet = false): {
  update?: (progress: Progress, what?: string) => void;
  stop: () => void;
} {
  if (quiet || process.stderr.isTTY !== true) return { stop: () => undefined };
  const started = performance.now();
  let bar: SingleBar | null = null;
  const update = ({ phase, role, item, loaded, total }: Progress, what?: string): void => {
    if (performance.now() - started < PATIENCE_MS) return;
    const name = what ?? (phase === 'download' ? `downloading ${printable(item)}` : role.padEnd(6));
    const values = { name, size: (total / 1e6).toFixed(0) };
    if (bar === null) {
      const format = '{name} {bar} {percentage}% of {size} MB';
      bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true });
      bar.start(total, loaded, values);
    }
    bar.setTotal(total);
    bar.update(loaded, values);
  };
  return { update, stop: () => bar?.stop() };
}

/** A bar on standard error while bytes are worked through. Only a terminal gets one, and not where `quiet` is asked for. */
export function bytesProgress(what: string, quiet = false) {
  const { update, stop } = loadProgress(quiet);
  const show = ({ loaded, total }: { readonly loaded: number; readonly total: number }) =>
    update?.({ phase: 'load', role: 'target', model: '', item: '', loaded, total }, what);
  return { update: show, stop };
}

/**
 * A bar on standard error while a source is encoded that takes long. Only a terminal gets one, and not where `quiet` is asked for. It
 * is gone before the first token is printed.
 */
export function encodingProgress(quiet = false): { update?: GenerateOptions['onEncoding']; stop: () => void } {
  if (quiet || process.stderr.isTTY !== true) return { stop: () => undefined };
  let started: number | null = null;
  let bar: SingleBar | null = null;
  const stop = () => {
    bar?.stop();
    [bar, started] = [null, null];
  };
  const update = ({ done, total }: { readonly done: number; readonly total: number }): void => {
    started ??= performance.now();
    if (bar === null && done < total && performance.now() - started >= PATIENCE_MS) {
      bar = new SingleBar({ format: 'encoding {bar} {percentage}%', clearOnComplete: true, hideCursor: true });
      bar.start(total, done);
    }
    bar?.update(done);
    if (done === total) stop();
  };
  return { update, stop };
}

/** A bar on standard error that counts to `total`. Only a terminal gets one, and not where `quiet` is asked for. */
export function countProgress(
  what: string,
  total: number,
  quiet = false,
): { update: (done: number) => void; stop: () => void } {
  if (quiet || process.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({ format: `${what} {bar} {value}/{total}`, clearOnComplete: true });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}
