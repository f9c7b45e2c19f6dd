import type { T5Model } from '../../engine';
import type { Backend } from '../../kernels';
import { VERSION } from '../version';
import type { CostKey } from './kept';

/** What decides the costs of a pair. */
export interface CostParts {
  readonly target: T5Model;
  readonly drafts: readonly T5Model[];
  readonly drafter: { readonly name: string };
  readonly backend: Backend;
}

/** The key of a pair's costs, without what the machine brings. */
export function keyOf({ target, drafts, drafter, backend }: CostParts): CostKey {
  const { name, level, wide, threads } = backend.facts;
  return {
    ...{ version: VERSION, target: modelKey(target), drafter: drafter.name, drafts: drafts.map(modelKey).join('; ') },
    ...{ copy: target.copyDtype, backend: name, level, wide: wide?.on === true, threads },
  };
}

function modelKey({ name, dtype, parameters, weightBytes, vocabularySize }: T5Model): string {
  return [name, dtype, parameters, weightBytes, vocabularySize].join(' ');
}
