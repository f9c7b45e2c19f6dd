import {
  type Cell,
  cellOutcomes,
  coupledTexts,
  DRAFTERS,
  furthest,
  KINDS,
  MUTANT_FAMILIES,
  PROCESSORS,
  STOPS,
  totalVariation,
} from '../../testing/index';
import { yieldToEventLoop } from '../event-loop';
import type { Check, ProveJob } from './job';

/** Rounding errors of float64: what the sums of all paths may be away from the target's distribution. */
const LIMIT = 1e-12;
/** Seeds of coupled verification, which is continuous, for each case. */
const COUPLED_SEEDS = 4;

/** The shipped samplers: texts by enumeration, and for coupled verification one text for a seed. */
export async function checkSamplers(job: ProveJob): Promise<Check[]> {
  const kinds = Object.keys(KINDS);
  const drafters = Object.keys(DRAFTERS);
  const total = (kinds.length + 1) * drafters.length;
  const checks: Check[] = [];
  let done = 0;
  const step = () => job.onStep('samplers', ++done, total);
  for (const kind of kinds) {
    checks.push(await enumerated(kind, drafters, job, step));
  }
  checks.push(await coupled(drafters, job, step));
  return checks;
}

/** The first so many of the processings × ends, each with models of its own. */
function cellsOf({ cases, seed, rule }: ProveJob) {
  const all = Object.keys(PROCESSORS).flatMap((processor) => Object.keys(STOPS).map((stop) => ({ processor, stop })));
  return all.slice(0, cases).map(({ processor, stop }, i) => ({
    name: `${processor}, ends by ${stop}`,
    processing: PROCESSORS[processor],
    stop: STOPS[stop],
    seed: 1000 * seed + i,
    rule,
  }));
}

async function enumerated(kind: string, drafters: string[], job: ProveJob, step: () => void): Promise<Check> {
  const cells = cellsOf(job);
  let worst = 0;
  let failure: string | null = null;
  for (const drafter of drafters) {
    for (const { name, ...cell } of cells) {
      const { sampler, target } = await cellOutcomes({ ...cell, kind: KINDS[kind], drafter });
      const distance = totalVariation(sampler, target);
      worst = Math.max(worst, distance); // which stays NaN after one
      if (!(distance <= LIMIT) && failure === null) {
        const [text, found, wanted] = furthest(sampler, target);
        failure = `drafts: ${drafter}, ${name}, models ${cell.seed}: text ${text} has ${found}, the target gives it ${wanted}`;
      }
      await yieldToEventLoop(job.signal);
    }
    step();
  }
  const cases = cells.length * drafters.length;
  const measured = `${cases} cases, total variation at most ${worst.toExponential(1)}`;
  return { group: 'samplers', name: `${kind}: every path`, passed: failure === null, measured, failure };
}

async function coupled(drafters: string[], job: ProveJob, step: () => void): Promise<Check> {
  const kinds = [{ gamma: 3 }, { branching: [2, 2] }];
  let texts = 0;
  let failure: string | null = null;
  for (const drafter of drafters) {
    for (const [i, { name, ...cell }] of cellsOf(job).entries()) {
      for (let seed = 0; seed < COUPLED_SEEDS; seed++) {
        const one: Cell = { ...cell, kind: kinds[(i + seed) % 2], drafter, seed: cell.seed + 50 * seed };
        const [drafted, alone] = await coupledTexts(one);
        texts++;
        if (drafted === alone || failure !== null) continue;
        failure = `drafts: ${drafter}, ${name}, seed ${one.seed}: ${drafted} with the draft, ${alone} without`;
      }
      await yieldToEventLoop(job.signal);
    }
    step();
  }
  const name = 'coupled: the seed fixes the text';
  return { group: 'samplers', name, passed: failure === null, measured: `${texts} texts`, failure };
}

/** Every known-wrong sampler must fail the check that the shipped code passes. */
export async function checkMutants(job: ProveJob): Promise<Check[]> {
  const total = MUTANT_FAMILIES.reduce((sum, { mutants }) => sum + mutants.length, 0);
  const checks: Check[] = [];
  let done = 0;
  for (const { check, unit, limit, caught, shipped, mutants } of MUTANT_FAMILIES) {
    const right = await shipped();
    const failures = right <= limit ? [] : [`the shipped code measures ${right} ${unit}, at most ${limit} is allowed`];
    for (const { name, measure } of mutants) {
      const { value, example } = await measure();
      const row = { mutant: name, check, caught: value > caught, measured: value, shipped: right, unit, example };
      job.onMutant(row);
      if (!row.caught) failures.push(`not caught: ${name} measures ${value} ${unit}`);
      job.onStep('mutants', ++done, total);
      await yieldToEventLoop(job.signal);
    }
    const measured = `${mutants.length} mutants`;
    checks.push({
      group: 'mutants',
      name: check,
      passed: failures.length === 0,
      measured,
      failure: failures[0] ?? null,
    });
  }
  return checks;
}
