import type { Command } from 'commander';
import { pageOf } from './inspect-page';
import { summaryOf } from './inspect-summary';
import { checkModelName, openModel } from './models';
import { jsonLine } from './terminal';

export interface InspectFlags {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly revision?: string;
}

/** Puts the argument and the flags of `tandem inspect` on a command. */
export function addInspectFlags(command: Command): Command {
  return command
    .description('say what is in a checkpoint without loading it')
    .argument('<model>', 'checkpoint directory or hub id')
    .option('--json', 'print one JSON object')
    .option('--revision <name>', 'branch, tag or commit of a model on the hub (default: main)')
    .option('--offline', 'take a model on the hub from the cache alone');
}

/**
 * `tandem inspect`: family, sizes, parameters, every tensor of a checkpoint, and what becomes of everything that its files state.
 * Reads the headers of its files and its files of settings, no weights. What keeps it from loading is the command's error, after
 * the page.
 */
export async function inspect(name: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  const { json, offline, revision } = flags;
  checkModelName(name, 'inspect');
  const checkpoint = await openModel(name, { offline, revision, signal });
  try {
    const { summary, problem } = await summaryOf(checkpoint);
    process.stdout.write(json ? jsonLine(summary) : pageOf(summary));
    if (problem) throw problem;
  } finally {
    await checkpoint.dispose();
  }
}
