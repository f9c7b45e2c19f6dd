import {
  type BeamDrafter,
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  modelDrafter,
  type NgramTable,
  ngramDrafter,
  randomDrafter,
  selfDrafter,
  withVocabulary,
} from '../../decoding';
import type { T5Model } from '../../engine';
import type { DraftPlan } from './names';

/** What the option `draft` stands for once the models are loaded. */
export interface OpenedDrafts {
  /** Proposes tokens; null where no draft was asked for. */
  readonly drafter: Drafter | null;
  /** Proposes for beam search: the first model or early exit among the drafts, null where there is none. */
  readonly beamDrafter: BeamDrafter | null;
}

/** What was loaded for the drafts, each by its plan. */
export interface DraftParts {
  readonly target: T5Model;
  readonly models: ReadonlyMap<DraftPlan, T5Model>;
  readonly tables: ReadonlyMap<DraftPlan, NgramTable>;
}

/** Makes drafters of plans. With several, the first that has a proposal makes it, in each round anew. */
export function openDrafts(plans: readonly DraftPlan[], parts: DraftParts): OpenedDrafts {
  const drafters = plans.map((plan) => drafterOf(plan, parts));
  const drafter = drafters.length > 1 ? firstOf(drafters) : (drafters[0] ?? null);
  return {
    drafter,
    beamDrafter: plans.map((plan) => beamDrafterOf(plan, parts)).find((found) => found !== null) ?? null,
  };
}

function drafterOf(plan: DraftPlan, parts: DraftParts): Drafter {
  const { target, models, tables } = parts;
  const size = target.vocabularySize;
  const first = 'first' in plan && plan.first ? { drafter: drafterOf(plan.first, parts) } : null;
  switch (plan.kind) {
    case 'copy':
      return copyDrafter(size);
    case 'random':
      return randomDrafter(size);
    case 'ngram':
      return ngramDrafter(size, { table: tables.get(plan) });
    case 'self':
      return selfDrafter(target, `${target.name} in ${plan.dtype}`, first);
    case 'layers':
      return earlyExitDrafter(target, plan.layers);
    case 'model': {
      const model = models.get(plan) as T5Model;
      return modelDrafter(withVocabulary(model, size), model.name, first);
    }
    case 'drafter':
      return plan.drafter;
  }
}

function beamDrafterOf(plan: DraftPlan, { target, models }: DraftParts): BeamDrafter | null {
  if (plan.kind === 'layers') return { model: target, layers: plan.layers };
  if (plan.kind === 'self') return { model: target, copy: true };
  const model = models.get(plan);
  return model ? { model: withVocabulary(model, target.vocabularySize) } : null;
}
