import { type LoadOptions, Tandem } from '../api';
import { type LoadFlags, loadOptions } from './generate/flags';
import { askingHub } from './models';
import { printNotice } from './notices';
import { loadProgress } from './progress';
import { tellingProgress, tellLoaded } from './verbosity';

/**
 * Loads the model and the drafts that flags name, with progress and notices on standard error. It computes in 256 bits where it
 * can, unless the flags say otherwise.
 *
 * @param more options that are the command's own; they win over the flags
 */
export async function loadTandem(flags: LoadFlags, signal: AbortSignal, more: LoadOptions = {}): Promise<Tandem> {
  const { model, draft = [] } = flags;
  const given = await loadOptions(flags);
  const progress = flags.verbose
    ? { update: tellingProgress(flags), stop: () => undefined }
    : loadProgress(flags.quiet);
  const hearing = { signal, onProgress: progress.update, onNotice: flags.quiet ? undefined : printNotice };
  const options: LoadOptions = { wide: 'auto', ...given, ...more, ...hearing };
  const names = model === undefined ? draft : [model, ...draft];
  const started = performance.now();
  const tandem = await askingHub(names, () => Tandem.load(model, options)).finally(progress.stop);
  tellLoaded(flags, tandem, (performance.now() - started) / 1000);
  return tandem;
}

/** What decoded: the models and the backend, as every `--json` says it. */
export function runFacts({ target, drafter, backend }: Tandem) {
  const { name, level, wide, threads } = backend;
  const { dtype, narrowed } = target;
  return { target: target.name, draft: drafter, dtype, narrowed, backend: { name, level, wide, threads } };
}
