import type { Command } from 'commander';
import { bundledPair, LOAD_OPTIONS } from '../api';
import { type OptionTable, printable, text, whole } from '../common';
import { NgramTable } from '../decoding';
import type { Tokenizer } from '../weights';
import { yieldToEventLoop } from './event-loop';
import { CommandError } from './failure';
import { checkWritable, linesOf, openFile, writeText } from './files';
import { addFlags } from './flags';
import { checkModelName, openModel } from './models';

export interface NgramFlags {
  readonly model?: string;
  readonly order?: number;
  readonly out?: string;
  readonly offline?: boolean;
}

const ORDER = 2;

const FLAGS: OptionTable = {
  out: { ...text(1), about: 'where to write the table (JSON)', flag: '-o, --out <path>' },
  order: { ...whole(1, 8), about: `longest n-gram (default: ${ORDER})`, flag: '--order <n>' },
  model: {
    ...text(1),
    about: 'checkpoint whose tokenizer to use (default: the bundled target’s)',
    flag: '-m, --model <name>',
  },
  offline: LOAD_OPTIONS.offline,
};

/** Puts the arguments and the flags of `tandem ngram build` on a command. */
export function addNgramFlags(command: Command): Command {
  command
    .description('count n-grams in texts; the table is a draft: --draft ngram:FILE')
    .argument('<files...>', 'text files, one sequence a line: texts such as the target writes');
  return addFlags(command, FLAGS);
}

/** The longest line, in bytes. The files themselves may have any size: one line is in memory at a time. */
const LONGEST_LINE = 16 << 20;

/** The ids of a line, in parts, so that a cancel is heard in a long one. */
async function idsOf(tokenizer: Tokenizer, text: string, signal: AbortSignal): Promise<number[]> {
  const betweenParts = () => yieldToEventLoop(signal);
  return (await tokenizer.encodeInParts?.(text, { betweenParts })) ?? tokenizer.encode(text);
}

/** Tokens of one line that are counted before the event loop may turn. */
const LEARNT_AT_ONCE = 1 << 14;

/** `tandem ngram build`: learns line by line, and writes the table when all files are read. */
export async function buildNgrams(files: readonly string[], flags: NgramFlags, signal: AbortSignal): Promise<void> {
  const { model, order = ORDER, out, offline } = flags;
  if (out === undefined) throw new CommandError('argument-invalid', 'ngram build: expected --out <path>, found none');
  if (model !== undefined) checkModelName(model, '--model');
  await checkWritable(out);
  const name = model ?? (await bundledPair()).target;
  const checkpoint = await openModel(name, { offline, signal });
  try {
    const tokenizer = await checkpoint.tokenizer();
    const table = new NgramTable(order, checkpoint.config.vocabularySize);
    let lines = 0;
    let tokens = 0;
    for (const file of files) {
      const limits = { where: file, most: Infinity, longest: LONGEST_LINE, lines: Infinity };
      for await (const line of linesOf(await openFile(file, signal), limits)) {
        await yieldToEventLoop(signal);
        if ('error' in line) throw line.error;
        if (line.text.trim() === '') continue;
        const ids = await idsOf(tokenizer, line.text, signal); // with the closing EOS: the table learns where a text ends
        for (let from = 0; from < ids.length; from += LEARNT_AT_ONCE) {
          await yieldToEventLoop(signal);
          table.learn(ids, from, Math.min(from + LEARNT_AT_ONCE, ids.length));
        }
        lines++;
        tokens += ids.length;
      }
    }
    if (lines === 0) {
      const where = files.join(', ');
      throw new CommandError('argument-invalid', `${where}: expected at least one line of text, found none`);
    }
    await writeText(out, JSON.stringify(table));
    const counts = `${table.size} contexts from ${tokens} tokens of ${lines} lines`;
    process.stdout.write(`${printable(out)}: order ${table.order}, ${counts}\n`);
  } finally {
    await checkpoint.dispose();
  }
}
