import { Command, CommanderError } from 'commander';
import { VERSION } from '../api';
import { batch } from './batch/command';
import { addBatchFlags, type BatchFlags } from './batch/flags';
import { addBenchFlags, type BenchFlags, bench } from './bench/command';
import { addCompletion, completion } from './completion/command';
import { addDoctorFlags, type DoctorFlags, doctor } from './doctor';
import { addEmbedFlags, type EmbedFlags, embed } from './embed';
import { addEvalFlags, type EvalFlags, evalCommand } from './eval/command';
import { examplesOf } from './examples';
import { addExploreFlags, type ExploreFlags, explore } from './explore';
import { CommandError } from './failure';
import { generateCommand } from './generate/command';
import { addGenerateFlags, type GenerateFlags } from './generate/flags';
import type { Patience } from './guard';
import { addInspectFlags, type InspectFlags, inspect } from './inspect';
import { addNgramFlags, buildNgrams, type NgramFlags } from './ngram';
import { addPaperFlags, type PaperFlags, paper } from './paper/command';
import { addProveFlags, type ProveFlags, prove } from './prove/command';
import { addQuantizeFlags, type QuantizeFlags, quantize } from './quantize';
import { addScoreFlags, type ScoreFlags, score } from './score';
import { addServeFlags, type ServeFlags, serve } from './serve';
import { checkSubcommand, checkWords, DEFAULT_COMMAND } from './subcommands';
import { tune } from './tune/command';
import { addTuneFlags, type TuneFlags } from './tune/flags';
import { checkVerbosity } from './verbosity';

/** Parses the arguments and runs the subcommand that they name. Without one, examples are shown. */
export async function runCommand(
  args: readonly string[],
  signal: AbortSignal,
  patience: Patience = () => undefined,
): Promise<void> {
  const program = buildProgram(args, signal, patience);
  checkSubcommand(args, program);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // --help and --version have printed
    throw new CommandError('argument-invalid', error.message.replace(/^error: /, ''));
  }
}

const EXIT_CODES = `
Exit codes: 0 done; 1 something failed (a model, a file, a line of the input); 2 the command was called wrongly;
130 cancelled by Ctrl-C (SIGINT), 143 by SIGTERM. An error is one line on standard error.`;

const FIRST_WORD = `
The first argument names a command. A text follows \`generate\`: tandem generate "Thou art my rock."
Without any argument, examples of the bundled pair are decoded and measured.`;

/** The program with every command. It runs nothing until it parses. */
export function buildProgram(
  args: readonly string[],
  signal: AbortSignal,
  patience: Patience = () => undefined,
): Command {
  const program = new Command('tandem');
  strict(program)
    .description(
      'Exact speculative decoding for T5: a small draft proposes tokens, and the text is distributed as the target’s own.',
    )
    .version(VERSION)
    .hook('preAction', (_program, command) => checkVerbosity(command.opts()))
    .addHelpText('after', FIRST_WORD + EXIT_CODES);
  const add = (name: string, options = {}) =>
    strict(program.command(name, options)).addHelpText('after', examplesOf(name) + EXIT_CODES);
  addGenerateFlags(add('generate', { isDefault: true }))
    .argument(
      '[text...]',
      'what to decode, one input; `-` or nothing reads standard input, each line of which is an input',
    )
    .action(async (words: string[], flags: GenerateFlags) => {
      const named = args[0] === DEFAULT_COMMAND;
      checkWords(words, named);
      await generateCommand(words, flags, { signal, named });
    });
  addBatchFlags(add('batch')).action((file: string | undefined, flags: BatchFlags) => batch(file, flags, signal));
  addEmbedFlags(add('embed')).action((words: string[], flags: EmbedFlags) => embed(words, flags, signal));
  addScoreFlags(add('score')).action((source: string, flags: ScoreFlags) => score(source, flags, signal));
  addServeFlags(add('serve')).action((flags: ServeFlags) => serve(flags, signal, patience));
  addExploreFlags(add('explore')).action((flags: ExploreFlags) => explore(flags, signal));
  addInspectFlags(add('inspect')).action((name: string, flags: InspectFlags) => inspect(name, flags, signal));
  addQuantizeFlags(add('quantize')).action((name: string, flags: QuantizeFlags) => quantize(name, flags, signal));
  const ngram = add('ngram')
    .description('n-gram tables, which are drafts that cost next to nothing')
    .action(() => {
      throw new CommandError('argument-invalid', 'ngram: expected a subcommand, build, found none');
    });
  addNgramFlags(strict(ngram.command('build')).addHelpText('after', examplesOf('ngram build') + EXIT_CODES)).action(
    (files: string[], flags: NgramFlags) => buildNgrams(files, flags, signal),
  );
  addPaperFlags(add('paper')).action((flags: PaperFlags) => paper(flags, signal));
  addBenchFlags(add('bench')).action((flags: BenchFlags) => bench(flags, signal));
  addEvalFlags(add('eval')).action((path: string | undefined, flags: EvalFlags) => evalCommand(path, flags, signal));
  addTuneFlags(add('tune')).action((words: string[], flags: TuneFlags) => tune(words, flags, signal));
  addProveFlags(add('prove')).action((flags: ProveFlags) => prove(flags, signal));
  addDoctorFlags(add('doctor')).action((flags: DoctorFlags) => doctor(flags, signal));
  addCompletion(add('completion')).action((shell: string) => completion(program, shell));
  return program;
}

/** Makes a command throw its errors: the guard prints them in one line, without the usage around them. */
function strict(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
}
