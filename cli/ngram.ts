import { type Command, Option } from 'commander';
import { bundledPair } from '../api';
import { printable } from '../common';
import { NgramTable } from '../decoding';
import { fromPretrained } from '../weights';
import { yieldToEventLoop } from './event-loop';
import { CommandError } from './failure';
import { checkWritable, linesOf, openFile, writeText } from './files';
import { integer } from './flags';
import { askingHub, checkModelName } from './models';

export interface NgramFlags {
  readonly model?: string;
  readonly order: number;
  readonly out: string;
  readonly offline?: boolean;
}

/** Puts the arguments and the flags of `tandem ngram build` on a command. */
export function addNgramFlags(command: Command): Command {
  return command
    .description('count n-grams in texts; the table is a draft: --draft ngram:FILE')
    .argument('<files...>', 'text files, one sequence a line: texts such as the target writes')
    .requiredOption('-o, --out <path>', 'where to write the table (JSON)')
    .addOption(new Option('--order <n>', 'longest n-gram').default(2).argParser(integer(1, 8)))
    .option('-m, --model <name>', 'checkpoint whose tokenizer to use (default: the bundled target’s)')
    .option('--offline', 'take a model on the hub from the cache alone');
}

/** The longest line, in bytes. The files themselves may have any size: one line is in memory at a time. */
const LONGEST_LINE = 16 << 20;

/** `tandem ngram build`: learns line by line, and writes the table when all files are read. */
export async function buildNgrams(files: readonly string[], flags: NgramFlags, signal: AbortSignal): Promise<void> {
  if (flags.model !== undefined) checkModelName(flags.model, '--model');
  await checkWritable(flags.out);
  const name = flags.model ?? (await bundledPair()).target;
  const options = { offline: flags.offline, lazy: true, signal };
  const checkpoint = await askingHub([name], () => fromPretrained(name, options));
  try {
    const tokenizer = await checkpoint.tokenizer();
    const table = new NgramTable(flags.order, checkpoint.config.vocabularySize);
    let lines = 0;
    let tokens = 0;
    for (const file of files) {
      const limits = { where: file, most: Number.POSITIVE_INFINITY, longest: LONGEST_LINE };
      for await (const line of linesOf(await openFile(file, signal), limits)) {
        await yieldToEventLoop(signal);
        if ('error' in line) throw line.error;
        if (line.text.trim() === '') continue;
        const ids = tokenizer.encode(line.text); // with the closing EOS: the table learns where a text ends
        table.learn(ids);
        lines++;
        tokens += ids.length;
      }
    }
    if (lines === 0) {
      const where = files.join(', ');
      throw new CommandError('argument-invalid', `${where}: expected at least one line of text, found none`);
    }
    await writeText(flags.out, JSON.stringify(table));
    const counts = `${table.size} contexts from ${tokens} tokens of ${lines} lines`;
    process.stdout.write(`${printable(flags.out)}: order ${table.order}, ${counts}\n`);
  } finally {
    await checkpoint.dispose();
  }
}
