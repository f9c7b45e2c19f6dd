import { OVERHEAD } from './adaptive';
import { BLOCK } from './block';
import { CANDIDATES } from './candidates';
import { COUPLED_DRAFT, COUPLED_TEXT, RACE } from './coupled';
import { DRAFT_CACHE, ENGINE, TARGET_CACHE } from './engine';
import type { Family } from './family';
import { NUMBERS } from './numbers';
import { PARTS } from './parts';
import { RULE_CONTEXT } from './rules';
import { SESSION } from './session';

export type { Family, Finding, WrongStep } from './family';
export { MUTANTS, type Mutant } from './parts';

/** Every known-wrong sampler, by the check that the shipped code passes and that finds it. */
export const MUTANT_FAMILIES: readonly Family[] = [
  PARTS,
  BLOCK,
  SESSION,
  CANDIDATES,
  COUPLED_TEXT,
  COUPLED_DRAFT,
  RACE,
  NUMBERS,
  RULE_CONTEXT,
  TARGET_CACHE,
  DRAFT_CACHE,
  ENGINE,
  OVERHEAD,
];
