import { readFile, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { bundledPair } from '../api';
import { NgramTable } from '../decoding';
import { fromPretrained } from '../weights';
import { CommandError } from './failure';
import { integer } from './flags';

export interface NgramFlags {
  readonly model?: string;
  readonly order: number;
  readonly out: string;
  readonly offline?: boolean;
}

/** Puts what `tandem ngram build` takes on a command. */
export function addNgramFlags(command: Command): Command {
  return command
    .description('count n-grams in texts, as a draft: --draft ngram:FILE')
    .argument('<files...>', 'text files, one sequence a line: texts such as the target writes')
    .requiredOption('-o, --out <path>', 'where to write the table (JSON)')
    .addOption(new Option('--order <n>', 'longest n-gram').default(2).argParser(integer(1, 8)))
    .option('-m, --model <path>', 'checkpoint whose tokenizer to use (default: the bundled target’s)')
    .option('--offline', 'take a model on the hub from the cache alone');
}

/** `tandem ngram build`: reads line by line and writes only a whole table. */
export async function buildNgrams(files: readonly string[], flags: NgramFlags, signal: AbortSignal): Promise<void> {
  const name = flags.model ?? (await bundledPair()).target;
  const checkpoint = await fromPretrained(name, { offline: flags.offline, lazy: true, signal });
  try {
    const tokenizer = await checkpoint.tokenizer();
    const table = new NgramTable(flags.order, checkpoint.config.vocabularySize);
    let lines = 0;
    let tokens = 0;
    for (const file of files) {
      for (const line of (await textOf(file)).split(/\r\n|\n|\r/)) {
        if (line.trim() === '') continue;
        signal.throwIfAborted();
        const ids = tokenizer.encode(line); // its closing EOS is counted too: an end is part of what comes next
        table.learn(ids);
        lines++;
        tokens += ids.length;
      }
    }
    if (lines === 0) throw new CommandError(`${files.join(', ')}: expected at least one line of text, found none`);
    await written(flags.out, JSON.stringify(table));
    process.stdout.write(
      `${flags.out}: order ${table.order}, ${table.size} contexts from ${tokens} tokens of ${lines} lines\n`,
    );
  } finally {
    await checkpoint.dispose();
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'other bytes' : error;
    const code = (found as NodeJS.ErrnoException).code ?? found;
    throw new CommandError(`${file}: expected a readable file of UTF-8 text, found ${code}`);
  }
}

async function written(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CommandError(`${path}: expected a file that can be written, found ${found}`);
  }
}
