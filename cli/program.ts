import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../api';
import { doctor } from './doctor';
import { CommandError, EXIT } from './failure';
import { generateCommand } from './generate';
import { addGenerateFlags, type GenerateFlags } from './generateFlags';
import { type InspectFlags, inspect } from './inspect';
import { addNgramFlags, buildNgrams, type NgramFlags } from './ngram';
import { addPaperFlags, type PaperFlags, paper } from './paper';

/** Parses the arguments and runs the subcommand that they name; without one, `generate`, which then shows examples. */
export async function runCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  const program = build(args, signal);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // --help and --version have printed
    throw new CommandError(error.message.replace(/^error: /, ''), EXIT.usage);
  }
}

function build(args: readonly string[], signal: AbortSignal): Command {
  const program = new Command('tandem');
  strict(program)
    .description(
      'Exact speculative decoding for T5: a small draft proposes, the target decides, and the text is the target’s own.',
    )
    .version(VERSION);
  const generate = program
    .command('generate', { isDefault: true })
    .description('decode text; without a subcommand and without TEXT, show examples on the bundled pair')
    .argument('[text...]', 'what to decode, one input a line; `-` or nothing reads standard input');
  addGenerateFlags(strict(generate)).action(async (words: string[], flags: GenerateFlags) => {
    await generateCommand(words, flags, { signal, named: args[0] === 'generate' });
  });
  strict(program.command('inspect'))
    .description('say what is in a checkpoint without loading it')
    .argument('<path>', 'checkpoint directory or hub id')
    .option('--json', 'print one JSON object')
    .option('--revision <name>', 'branch, tag or commit of a model on the hub (default: main)')
    .option('--offline', 'take a model on the hub from the cache alone')
    .action(async (path: string, flags: InspectFlags) => inspect(path, flags));
  const ngram = strict(program.command('ngram'))
    .description('n-gram tables, as drafts that cost next to nothing')
    .action(() => {
      throw new CommandError('ngram: expected a subcommand, build, found none');
    });
  addNgramFlags(strict(ngram.command('build'))).action(async (files: string[], flags: NgramFlags) =>
    buildNgrams(files, flags, signal),
  );
  addPaperFlags(strict(program.command('paper'))).action(async (flags: PaperFlags) => paper(flags, signal));
  strict(program.command('doctor'))
    .description('say what Tandem gets on this machine, and why')
    .option('--json', 'print one JSON object')
    .addOption(new Option('--probe').hideHelp())
    .action(async (flags: { json?: boolean; probe?: boolean }) => doctor(flags));
  return program;
}

/** Errors are thrown, not printed with the usage around them: the guard says them in one line. */
function strict(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
}
