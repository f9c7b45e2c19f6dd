import { badSetting } from '../checks';
import type { Processing } from '../processing';
import { isPlainGreedy } from '../sampling/processors';
import { DEFAULTS, type Settings, type Verification } from '../settings';
import type { CostWay } from './pair-costs';

/** What settings mean for a run that has a draft. */
export interface DraftingWay {
  /** 'auto' follows what rounds take. */
  readonly gamma: number | 'auto';
  readonly verification: Verification;
}

/**
 * γ and the verification of a run that has a draft, where its settings leave them open.
 *
 * γ is 'auto' wherever the text cannot depend on γ: at temperature 0, and above 0 with coupled verification, which is then the
 * default. Where the settings ask for lenience, or above temperature 0 for token or block verification, γ is a fixed number.
 *
 * γ that follows clocks may be another one when the same text is decoded again, and the seed has to fix the text. Token verification
 * accepts more. Who asks for it beside gamma 'auto', without a seed, gets a text that may be another one next time.
 */
export function draftingWay(settings: Settings): DraftingWay {
  const { branching, temperature = 0, verification } = settings;
  const gamma = branching?.length ?? settings.gamma ?? usualGamma(settings);
  return { gamma, verification: verification ?? (gamma === 'auto' && temperature > 0 ? 'coupled' : 'token') };
}

function usualGamma(settings: Settings): number | 'auto' {
  if (settings.costs) return DEFAULTS.adaptiveGamma;
  return mayFollowClocks(settings) ? DEFAULTS.gamma : DEFAULTS.fixedGamma;
}

/** Refuses gamma 'auto' where γ may not follow clocks. @throws DecodingError `option-invalid` */
export function checkAuto(settings: Settings): void {
  const { gamma, costs, branching, seed, lenience = 1 } = settings;
  if (gamma !== 'auto' || branching !== undefined) return; // branching is refused beside any gamma
  if (costs !== undefined) throw badSetting('costs', "none beside gamma 'auto', which learns them", costs);
  if (mayFollowClocks(settings) || (seed === undefined && lenience === 1)) return;
  throw badSetting('gamma', 'a number beside lenience, and beside a seed with verification that is not coupled', gamma);
}

/** Whether the text is the same with every γ. */
function mayFollowClocks({ temperature = 0, verification = 'coupled', lenience = 1 }: Settings): boolean {
  return lenience === 1 && (temperature === 0 || verification === 'coupled');
}

/**
 * The way of turning logits into tokens whose costs a run or a guesser learns.
 *
 * @param isCoupled whether tokens that are drawn are drawn by numbers shared with the draft
 */
export function costWayOf(processing: Processing, isCoupled: boolean): CostWay {
  if (isPlainGreedy(processing)) return 'greedy';
  return isCoupled ? 'coupled' : 'sampled';
}
