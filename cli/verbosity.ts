import { availableParallelism } from 'node:os';
import { type ModelFacts, type Progress, type Tandem, VERSION } from '../api';
import { counted, flagged, type OptionTable, printable } from '../common';
import type { Metrics } from '../decoding';
import { CommandError } from './failure';

/** How much a command says on standard error. Errors are always said. */
export interface Verbosity {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** The flags of every command that computes with a model. */
export const VERBOSITY: OptionTable<keyof Verbosity> = {
  quiet: {
    ...flagged,
    about: 'print results and errors alone: no progress, no notices, no report of a run',
    flag: '-q, --quiet',
  },
  verbose: {
    ...flagged,
    about: 'say on standard error what is opened, in which types, what computes and why, and what decoding took',
    flag: '-v, --verbose',
  },
};

/** @throws CommandError `argument-invalid` where both were given */
export function checkVerbosity({ quiet, verbose }: Verbosity): void {
  if (!quiet || !verbose) return;
  throw new CommandError('argument-invalid', 'expected --quiet or --verbose, found both');
}

/** Prints a line for whoever asked for more than the results. */
export function tell({ verbose }: Verbosity, line: string): void {
  if (verbose) process.stderr.write(`tandem: ${printable(line)}\n`);
}

/** Tells once of each model whose weights are read, and of each file that is downloaded. */
export function tellingProgress(flags: Verbosity): (progress: Progress) => void {
  const told = new Set<string>();
  return ({ phase, role, model, item, total }) => {
    const what =
      phase === 'download' ? `downloading ${item} of ${model}` : `reading the weights of the ${role} ${model}`;
    if (told.has(what)) return;
    told.add(what);
    tell(flags, `${what} (${megabytes(total)})`);
  };
}

/** Tells what runs, and where. */
export function tellMachine(flags: Verbosity): void {
  const { platform, arch, version } = process;
  tell(flags, `tandem-t5 ${VERSION}, Node ${version}, ${platform} ${arch}, ${availableParallelism()} processors`);
}

/** The type of a model's weights, and how many of them are kept in fewer bytes all the same. */
function typeOf({ dtype, narrowed }: ModelFacts): string {
  return narrowed === 0 ? dtype : `${dtype} (bf16 for ${narrowed} of its matrices, with the same bits)`;
}

/** Tells what was loaded, and what computes. */
export function tellLoaded(flags: Verbosity, tandem: Tandem, seconds: number): void {
  if (!flags.verbose) return;
  const { target, draft, drafter, backend, prefix } = tandem;
  tellMachine(flags);
  for (const [role, model] of Object.entries({ target, draft })) {
    if (model === null) continue;
    const { name, family, parameters, weightBytes } = model;
    const size = `${parameters} parameters, ${typeOf(model)}, ${megabytes(weightBytes)} in memory`;
    tell(flags, `${role} ${name}: ${family}, ${size}`);
  }
  if (draft === null) tell(flags, drafter === null ? 'no draft' : `draft ${drafter}: no model`);
  if (prefix !== '') tell(flags, `prefix of every input: ${JSON.stringify(prefix)}`);
  const { name, level, wide, threads, reason, worker } = backend;
  const vectors = wide === undefined ? '' : `, vectors of 256 bits ${wide.on ? 'on' : 'off'} (${wide.reason})`;
  const place = worker ? ', in a worker' : '';
  tell(
    flags,
    `computes on ${name} (${level}), ${counted(threads, 'thread')}${place}${vectors}${reason ? `; ${reason}` : ''}`,
  );
  tell(flags, `loaded in ${seconds.toFixed(2)} s`);
}

/** Tells what decoding a text took. */
export function tellDecoded(flags: Verbosity, what: string, metrics: Metrics): void {
  if (!flags.verbose) return;
  const { newTokens, seconds, rounds, targetCalls, draftCalls, accepted, proposed, acceptanceRate } = metrics;
  const { targetSeconds, draftSeconds, costRatio, verifyRatio, gamma } = metrics;
  const parts = [
    `${counted(newTokens, 'token')} in ${seconds.toFixed(3)} s (target ${targetSeconds.toFixed(3)}, draft ${draftSeconds.toFixed(3)})`,
    [counted(rounds, 'round'), counted(targetCalls, 'target call'), counted(draftCalls, 'draft call')].join(', '),
    `γ ${Number(gamma.toFixed(2))}, ${accepted} of ${proposed} proposed tokens accepted, α ${acceptanceRate.toFixed(3)}`,
    ...(costRatio === null ? [] : [`c ${costRatio.toFixed(3)}`]),
    ...(verifyRatio === null ? [] : [`v ${verifyRatio.toFixed(3)}`]),
  ];
  tell(flags, `${what}: ${parts.join('; ')}`);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
