import type { Command } from 'commander';
import { type Input, type LoadOptions, SCORE_OPTIONS, type ScoreOptions } from '../api';
import { listOf, type OptionTable, text } from '../common';
import { loadAlone, MODEL_FLAGS } from './embed';
import { CommandError } from './failure';
import { addFlags, optionsOf } from './flags';
import { jsonLine } from './terminal';
import { VERBOSITY, type Verbosity } from './verbosity';

const TARGETS: OptionTable = {
  target: {
    ...listOf(text(1), 'texts, none of them empty'),
    parse: undefined, // a text may hold commas: the flag is given several times
    about: 'a text to score after the source; may be given again',
    flag: '--target <text>',
  },
};

export interface ScoreFlags extends Verbosity, Omit<LoadOptions, 'draft'>, Omit<ScoreOptions, 'signal'> {
  readonly model?: string;
  readonly target?: readonly string[];
}

/** Puts the argument and the flags of `tandem score` on a command. */
export function addScoreFlags(command: Command): Command {
  command
    .description('print the log-probability of each target after a source: one JSON object a line')
    .argument('<source>', 'source text');
  for (const table of [TARGETS, MODEL_FLAGS, SCORE_OPTIONS, VERBOSITY]) addFlags(command, table);
  return command;
}

/** `tandem score`: the targets in their order, for one encode of the source. */
export async function score(source: Input, flags: ScoreFlags, signal: AbortSignal): Promise<void> {
  const { target: targets = [] } = flags;
  if (targets.length === 0) {
    throw new CommandError('argument-invalid', 'score: expected --target <text>, found none');
  }
  const tandem = await loadAlone(flags, signal);
  try {
    const options = { ...optionsOf(flags, SCORE_OPTIONS), signal } as ScoreOptions;
    const scores = await tandem.score(source, targets, options);
    for (const [i, found] of scores.entries()) process.stdout.write(jsonLine({ target: targets[i], ...found }));
  } finally {
    await tandem.dispose();
  }
}
