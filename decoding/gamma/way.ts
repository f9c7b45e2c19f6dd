import { badSetting } from '../checks';
import { DEFAULTS, type Settings, type Verification } from '../settings';

/** What settings mean for a run that has a draft. */
export interface DraftingWay {
  /** 'auto' follows what rounds take. */
  readonly gamma: number | 'auto';
  readonly verification: Verification;
}

/**
 * γ and the verification of a run that has a draft, where its settings leave them open.
 *
 * γ that follows clocks may be another one when the same text is decoded again. So tokens are then drawn by coupled verification,
 * whose text does not depend on γ: the seed fixes it. Token verification accepts more. Who asks for it beside gamma 'auto', without a
 * seed, gets a text that may be another one next time.
 */
export function draftingWay(settings: Settings): DraftingWay {
  const { gamma, costs, branching, temperature = 0, verification } = settings;
  const said = verification ?? 'token';
  if (branching) return { gamma: branching.length, verification: said };
  if (typeof gamma === 'number') return { gamma, verification: said };
  if (costs) return { gamma: DEFAULTS.adaptiveGamma, verification: said };
  if (gamma !== 'auto') return { gamma: DEFAULTS.gamma, verification: said };
  return { gamma: 'auto', verification: verification ?? (temperature > 0 ? 'coupled' : 'token') };
}

/** Refuses gamma 'auto' where γ may not follow clocks. @throws DecodingError `option-invalid` */
export function checkAuto(settings: Settings): void {
  const { gamma, costs, branching } = settings;
  if (gamma !== 'auto' || branching !== undefined) return; // branching is refused beside any gamma
  if (costs !== undefined) throw badSetting('costs', "none beside gamma 'auto', which learns them", costs);
  const { temperature = 0, seed, verification = 'coupled', lenience = 1 } = settings;
  const mayAdapt = temperature === 0 || seed === undefined || verification === 'coupled';
  if (mayAdapt && lenience === 1) return;
  throw badSetting('gamma', 'a number beside lenience, and beside a seed with verification that is not coupled', gamma);
}
