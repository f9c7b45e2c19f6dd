import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fileKind, type OptionTable, quoted, text, whole } from '../common';
import { startExplorer } from '../server';
import { openCheckpoint } from '../weights';
import { untilAborted } from './event-loop';
import { CommandError } from './failure';
import { addFlags } from './flags';

/** Flags of `tandem explore`. */
export interface ExploreFlags {
  readonly model?: string;
  readonly draft?: string;
  readonly port?: number;
}

const DEFAULT_PORT = 8081;

const FLAGS: OptionTable<keyof ExploreFlags> = {
  model: {
    ...text(1),
    about: 'directory of the checkpoint that the page loads (default: the bundled pair)',
    flag: '-m, --model <directory>',
  },
  draft: {
    ...text(1),
    about: 'directory of a draft for it, with the same vocabulary (default: it drafts for itself)',
    flag: '-d, --draft <directory>',
  },
  port: {
    ...whole(0, 65535),
    about: `port to listen on; 0 takes one that is free (default: ${DEFAULT_PORT})`,
    flag: '-p, --port <n>',
  },
};

const EXAMPLES = `
Examples:
  tandem explore                                          the bundled pair, on http://127.0.0.1:${DEFAULT_PORT}/
  tandem explore --model ./t5-large --draft ./t5-small    two checkpoints of your own

Open the address in a browser: the models run in the page. This machine alone reaches it. Ctrl-C or SIGTERM ends it.`;

/** Puts the flags of `tandem explore` on a command. */
export function addExploreFlags(command: Command): Command {
  command.description('serve the explorer, a page in which one sees speculative decoding happen');
  return addFlags(command, FLAGS).addHelpText('after', EXAMPLES);
}

/** `tandem explore`: until a signal. */
export async function explore({ model, draft, port = DEFAULT_PORT }: ExploreFlags, signal: AbortSignal): Promise<void> {
  if (draft !== undefined && model === undefined) {
    throw new CommandError(
      'argument-invalid',
      'expected --model beside --draft, found none: the bundled pair has a draft',
    );
  }
  if (model !== undefined) await checkCheckpoint(model, '--model');
  if (draft !== undefined) await checkCheckpoint(draft, '--draft');
  const root = join(__dirname, '..'); // of the package, from cli/ and from dist/
  const folders = { page: join(root, 'dist', 'explorer'), models: join(root, 'models') };
  const explorer = await startExplorer({ ...folders, target: model, draft, port });
  try {
    process.stdout.write(`tandem: the explorer is on ${explorer.address}\n`);
    await untilAborted(signal);
  } finally {
    await explorer.stop();
  }
}

/** Looks at a checkpoint before the page does: its files, its configuration and its tensors' names. */
async function checkCheckpoint(directory: string, flag: string): Promise<void> {
  const place = statSync(directory, { throwIfNoEntry: false });
  if (!place?.isDirectory()) {
    const what = place === undefined ? 'none' : fileKind(place);
    throw new CommandError('not-found', `${flag} ${quoted(directory)}: expected a directory, found ${what}`);
  }
  const found = readdirSync(directory);
  if (found.includes('config.json') && !found.some((name) => /\.safetensors(\.index\.json)?$/.test(name))) {
    const message = `${flag} ${quoted(directory)}: expected weights in safetensors, which the page reads, found none`;
    throw new CommandError('not-found', message);
  }
  await (await openCheckpoint(directory)).dispose();
}
