import { cpus } from 'node:os';
import type { Command } from 'commander';
import { VERSION } from '../../api';
import { flagged, listOf, type OptionTable, oneOf, whole } from '../../common';
import type { TokenRule } from '../../decoding';
import { probeApart } from '../doctor';
import { EXIT } from '../failure';
import { addFlags } from '../flags';
import { countProgress } from '../progress';
import { jsonLine } from '../terminal';
import { tell, tellMachine, VERBOSITY, type Verbosity } from '../verbosity';
import { type Check, GROUPS, type Group, type MutantRow, type ProveJob } from './job';
import { checkAllKernels, checkGreedy, checkStatistics } from './models';
import { groupText, mutantTable } from './page';
import { checkMutants, checkSamplers } from './samplers';

export interface ProveFlags extends Verbosity {
  readonly seed?: number;
  readonly only?: readonly Group[];
  readonly cases?: number;
  readonly texts?: number;
  readonly json?: boolean;
}

const [CASES, TEXTS] = [25, 3];

const FLAGS: OptionTable = {
  seed: {
    ...whole(0, 1_000_000),
    about: 'models, passages and samples are made from it (default: 1)',
    flag: '-s, --seed <n>',
  },
  only: {
    ...listOf(oneOf(...GROUPS), `some of ${GROUPS.join(', ')}, separated by commas`, 1),
    about: `check these alone: some of ${GROUPS.join(', ')}`,
    flag: '--only <groups>',
  },
  cases: {
    ...whole(1, CASES),
    about: `settings × ends to enumerate, of each verification × drafter (default: all ${CASES})`,
    flag: '--cases <n>',
  },
  texts: {
    ...whole(1, 200),
    about: `passages to decode greedily on the fastest backend (default: ${TEXTS})`,
    flag: '--texts <n>',
  },
  json: { ...flagged, about: 'print one JSON object', flag: '--json' },
  quiet: VERBOSITY.quiet,
  verbose: {
    ...VERBOSITY.verbose,
    about: 'say on standard error which backends work and why, and what each group of checks took',
  },
};

const EXAMPLES = `
Examples:
  tandem prove                            everything, in about a minute
  tandem prove --only samplers,mutants    without a model
  tandem prove --seed 7 --json            other models and samples; the report for a program`;

/** Puts the flags of `tandem prove` on a command. */
export function addProveFlags(command: Command): Command {
  command
    .description(
      'prove on this machine that output is exact: every path of every sampler, each known-wrong sampler caught, bits and statistics of the bundled pair',
    )
    .addHelpText('after', EXAMPLES);
  return addFlags(command, FLAGS);
}

const CHECKS: Readonly<Record<Group, (job: ProveJob) => Promise<Check[]>>> = {
  samplers: checkSamplers,
  mutants: checkMutants,
  greedy: checkGreedy,
  kernels: checkAllKernels,
  statistics: checkStatistics,
};

/** `tandem prove`: exit code 1 where a check fails. `rule` stands in for the shipped rule of token verification, in specs. */
export async function prove(flags: ProveFlags, signal: AbortSignal, rule?: TokenRule): Promise<void> {
  const { seed = 1, only = GROUPS, cases = CASES, texts = TEXTS, json = false } = flags;
  const groups = GROUPS.filter((group) => only.includes(group));
  const started = performance.now();
  const needsBackends = groups.some((group) => group === 'greedy' || group === 'kernels');
  const backends = needsBackends ? await probeApart(signal) : [];
  tellMachine(flags);
  for (const { name, available, reason } of backends) {
    tell(flags, `backend ${name} ${available ? 'works' : 'does not work'}: ${reason}`);
  }
  const checks: Check[] = [];
  const mutants: MutantRow[] = [];
  for (const group of groups) {
    const begun = performance.now();
    const bar = groupProgress(group, flags.quiet);
    const job: ProveJob = {
      seed,
      cases,
      texts,
      backends,
      signal,
      rule,
      onStep: bar.step,
      onMutant: (row) => mutants.push(row),
    };
    const found = await CHECKS[group](job).finally(bar.stop);
    checks.push(...found);
    tell(flags, `${group}: ${found.length} checks in ${((performance.now() - begun) / 1000).toFixed(2)} s`);
    if (!json) process.stdout.write(groupText(group, found) + (group === 'mutants' ? mutantTable(mutants) : ''));
  }
  const passed = checks.every((check) => check.passed);
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    const machine = {
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      processor: cpus()[0]?.model.trim(),
    };
    process.stdout.write(jsonLine({ version: VERSION, ...machine, seed, passed, seconds, checks, mutants }));
  } else {
    const failed = checks.filter((check) => !check.passed).length;
    const verdict = passed ? `${checks.length} checks passed` : `${failed} of ${checks.length} checks FAILED`;
    process.stdout.write(`${verdict}, seed ${seed}, ${seconds.toFixed(0)} s\n`);
  }
  if (!passed) process.exitCode = EXIT.failed;
}

/** A bar for each group, which begins with its first step. */
function groupProgress(group: Group, quiet = false) {
  let bar: ReturnType<typeof countProgress> | null = null;
  const step = (_: Group, done: number, total: number) => {
    bar ??= countProgress(group, total, quiet);
    bar.update(done);
  };
  return { step, stop: () => bar?.stop() };
}
