import { type LoadOptions, Tandem } from '../api';
import { type LoadFlags, loadOptions } from './generate/flags';
import { askingHub } from './models';
import { printNotice } from './notices';
import { loadProgress } from './progress';

/**
 * Loads the model and the drafts that flags name, with progress and notices on standard error. It computes in 256 bits where it
 * can, unless the flags say otherwise.
 *
 * @param more options that are the command's own; they win over the flags
 */
export async function loadTandem(flags: LoadFlags, signal: AbortSignal, more: LoadOptions = {}): Promise<Tandem> {
  const { model, draft = [] } = flags;
  const given = await loadOptions(flags);
  const progress = loadProgress();
  const hearing = { signal, onProgress: progress.update, onNotice: printNotice };
  const options: LoadOptions = { wide: 'auto', ...given, ...more, ...hearing };
  const names = model === undefined ? draft : [model, ...draft];
  return askingHub(names, () => Tandem.load(model, options)).finally(progress.stop);
}

/** What decoded: the models and the backend, as every `--json` says it. */
export function runFacts({ target, drafter, backend }: Tandem) {
  const { name, level, wide, threads } = backend;
  return { target: target.name, draft: drafter, dtype: target.dtype, backend: { name, level, wide, threads } };
}
