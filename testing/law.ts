import { modelDrafter, type Settings, type TokenRule } from '../decoding';
import { enumerate, furthest, type Outcomes, totalVariation } from './enumerator';
import { targetOutcomes } from './exactness';
import { type Cell, cellOutcomes, KINDS, type MakeDrafter, PROCESSORS, STOPS } from './grid';
import { exactSteps, smallLoop, type Verify, type World } from './small-loop';
import { randomTable } from './table-model';

/** How far the sums of all paths may be from the target's distribution: rounding errors of float64. */
const TOLERANCE = 1e-12;

/** What a law is tried on. */
export interface LawOptions {
  /** The models of case i are made from seed + i. Default 1. */
  readonly seed?: number;
  /** Cases to try, from the first on. Default: all, 75 of a drafter, 25 of a rule or a verifier. */
  readonly cases?: number;
  /** Called after each case. */
  readonly onCase?: (done: number, total: number) => void;
  /** Ends the trial with its reason. */
  readonly signal?: AbortSignal;
}

/** A case in which the texts do not have the target's distribution. */
export interface Counterexample {
  /** The verification, the processing and the end of a text, in words. */
  readonly name: string;
  /** Seed of the two models. */
  readonly seed: number;
  readonly settings: Settings;
  /** The text whose probability is furthest from the target's, as ids. */
  readonly text: string;
  /** Its probability in the target. */
  readonly target: number;
  /** What the sampler's paths to it add up to. */
  readonly sampler: number;
}

/** Whether a law held. */
export interface LawReport {
  readonly exact: boolean;
  readonly cases: number;
  /** The largest total variation of a case. */
  readonly distance: number;
  /** The worst case; null where all cases are exact. */
  readonly counterexample: Counterexample | null;
  /** The report in one sentence. */
  readonly message: string;
}

interface Case {
  readonly name: string;
  readonly seed: number;
  readonly settings: Settings;
  readonly run: () => Promise<{ readonly sampler: Outcomes; readonly target: Outcomes }>;
}

/**
 * The law of a drafter: with it, texts have the target's distribution, and what it opened is disposed in the end. The shipped loop
 * runs through every path of every case: each verification × processing × end of a text, on models over three words.
 *
 * @param make makes the drafter of a case; a drafter that is no model ignores both arguments and takes `target.vocabularySize`
 * @throws TandemError `argument-invalid` where something was not disposed, or the drafter uses chance that is not `request.draw`
 */
export function checkDrafter(make: MakeDrafter, options: LawOptions = {}): Promise<LawReport> {
  const { seed = 1 } = options;
  return check(
    gridCells(Object.keys(KINDS)).map(({ name, ...cell }, i) =>
      cellCase(name, { ...cell, drafter: make, seed: seed + i }),
    ),
    options,
  );
}

/**
 * The law of a rule for token verification: what is accepted and what a rejected token is replaced from. It runs in the shipped
 * loop, in place of the paper's rule.
 */
export function checkRule(rule: TokenRule, options: LawOptions = {}): Promise<LawReport> {
  const { seed = 1 } = options;
  const drafter: MakeDrafter = (_, draft) => modelDrafter(draft);
  return check(
    gridCells(['token']).map(({ name, ...cell }, i) => cellCase(name, { ...cell, drafter, rule, seed: seed + i })),
    options,
  );
}

/** The law of a verifier: a function that decides about a whole chain of draft tokens. It runs in a loop over tables. */
export function checkVerifier(verify: Verify, options: LawOptions = {}): Promise<LawReport> {
  const { seed = 1 } = options;
  const cells = gridCells(['token']).filter(({ stop }) => stop.stops === undefined);
  const cases = cells.map(({ name, processing, stop }, i) =>
    verifierCase(name, verify, { processing, stop }, seed + i),
  );
  return check(cases, options);
}

/** Every processing and end of a text with these verifications. */
function gridCells(kinds: readonly string[]) {
  return kinds.flatMap((kind) =>
    Object.keys(PROCESSORS).flatMap((processor) =>
      Object.keys(STOPS).map((end) => ({
        name: `${kind}, ${processor}, ends by ${end}`,
        kind: KINDS[kind],
        processing: PROCESSORS[processor],
        stop: STOPS[end],
      })),
    ),
  );
}

function cellCase(name: string, cell: Cell): Case {
  const settings: Settings = { ...cell.processing, ...cell.kind, maxNewTokens: cell.stop.maxNewTokens };
  return { name, seed: cell.seed, settings, run: () => cellOutcomes(cell) };
}

function verifierCase(name: string, verify: Verify, cell: Pick<Cell, 'processing' | 'stop'>, seed: number): Case {
  const { eosTokens, maxNewTokens, minNewTokens } = cell.stop;
  const processing = minNewTokens === undefined ? cell.processing : { ...cell.processing, minNewTokens };
  const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens };
  const draft = { ...table, logits: randomTable(3, seed + 1000) };
  const world: World = { target: table, draft, processing, maxNewTokens, gamma: 2 };
  const run = async () => ({
    sampler: await enumerate(async (random) => smallLoop(world, random, { ...exactSteps, verify }).join()),
    target: targetOutcomes(table, { ...processing, maxNewTokens }),
  });
  return { name, seed, settings: { ...processing, maxNewTokens, gamma: 2 }, run };
}

async function check(all: readonly Case[], { cases = all.length, onCase, signal }: LawOptions): Promise<LawReport> {
  const tried = all.slice(0, cases);
  let distance = 0;
  let worst: Counterexample | null = null;
  for (const [i, { name, seed, settings, run }] of tried.entries()) {
    signal?.throwIfAborted();
    const { sampler, target } = await run();
    const found = totalVariation(sampler, target);
    if (found > TOLERANCE && found > distance) {
      const [text, inSampler, inTarget] = furthest(sampler, target);
      worst = { name, seed, settings, text, target: inTarget, sampler: inSampler };
    }
    distance = Math.max(distance, found);
    onCase?.(i + 1, tried.length);
  }
  const reached = distance.toExponential(1);
  const message =
    worst === null
      ? `exact in ${tried.length} cases: total variation at most ${reached}`
      : `not exact: ${worst.name}, models ${worst.seed}: text ${worst.text} has ${worst.sampler}, the target gives it ${worst.target}`;
  return { exact: worst === null, cases: tried.length, distance, counterexample: worst, message };
}
