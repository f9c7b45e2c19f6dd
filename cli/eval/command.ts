import type { Command } from 'commander';
import { checkGiven, GENERATE_OPTIONS, type GenerateOptions, LOAD_OPTIONS, type Tandem, VERSION } from '../../api';
import { flagged, type OptionTable, text, whole } from '../../common';
import { CommandError } from '../failure';
import { checkWritable, writeText } from '../files';
import { addFlags } from '../flags';
import {
  checkDrafted,
  checkGenerateFlags,
  DRAFT_FLAGS,
  type GenerateFlags,
  generateOptions,
  MODEL_FLAG,
} from '../generate/flags';
import { loadTandem, runFacts } from '../loading';
import { checkModels } from '../models';
import { countProgress } from '../progress';
import { table } from '../table';
import { jsonLine } from '../terminal';
import { tellDecoded, VERBOSITY } from '../verbosity';
import { type Evaluation, evaluate } from './measure';
import { bundledPairs, readPairs } from './pairs';

export interface EvalFlags extends Omit<GenerateFlags, 'compare' | 'trace' | 'file' | 'document' | 'ids' | 'settings'> {
  readonly limit?: number;
  readonly out?: string;
}

/** What decodes one text for each source. */
const { trace: _trace, logProbs: _logProbs, numReturnSequences: _several, ...DECODING } = GENERATE_OPTIONS;

const OUTPUT: OptionTable = {
  limit: { ...whole(1), about: 'take the first pairs only, this many', flag: '--limit <n>' },
  out: { ...text(1), about: 'write the texts to a file, one a line', flag: '-o, --out <path>' },
  json: { ...flagged, about: 'print one JSON object', flag: '--json' },
};

const EXAMPLES = `
A line of the file is a source, a tab and a reference, in UTF-8; \`-\` is standard input. BLEU and chrF are those of sacrebleu 2.6:
BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp, chrF2 nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no.

Examples:
  tandem eval --dtype f32                                       the figures of the bundled pair's page, on its held-out passages
  tandem eval pairs.tsv --model google/flan-t5-base --draft google/flan-t5-small
  tandem eval pairs.tsv --model path/to/t5 --num-beams 4 --out texts.txt --json`;

/** Puts the argument and the flags of `tandem eval` on a command. */
export function addEvalFlags(command: Command): Command {
  command
    .description('measure a model on pairs of texts: BLEU, chrF, loss, how far the draft agrees, and speed')
    .argument('[pairs]', 'a file of tab-separated pairs (default: the held-out passages of the bundled pair)');
  for (const options of [MODEL_FLAG, LOAD_OPTIONS, DRAFT_FLAGS, DECODING, OUTPUT, VERBOSITY])
    addFlags(command, options);
  return command.addHelpText('after', EXAMPLES);
}

/** `tandem eval`: nothing is loaded where a line of the file is wrong. */
export async function evalCommand(path: string | undefined, flags: EvalFlags, signal: AbortSignal): Promise<void> {
  const { model, limit, out, json } = flags;
  checkGenerateFlags(flags);
  const options: GenerateOptions = generateOptions(flags);
  checkGiven(options, 'eval');
  await checkModels(flags);
  if (out !== undefined) await checkWritable(out);
  if (path === undefined && model !== undefined) {
    throw new CommandError('argument-invalid', 'eval: expected a file of pairs beside --model, found none');
  }
  const pairs = (path === undefined ? await bundledPairs() : await readPairs(path, signal)).slice(0, limit);
  const tandem = await loadTandem(flags, signal);
  try {
    checkDrafted(flags, tandem);
    const bar = countProgress('pairs', pairs.length, flags.quiet);
    const found = await evaluate({ tandem, pairs, options, signal, onPair: bar.update }).finally(bar.stop);
    tellDecoded(flags, 'all texts', found.speed.metrics);
    if (out !== undefined) await writeText(out, `${found.texts.map(onOneLine).join('\n')}\n`);
    process.stdout.write(json ? jsonLine(asData(tandem, found)) : page(tandem, found));
  } finally {
    await tandem.dispose();
  }
}

const onOneLine = (text: string) => text.replace(/[\r\n]+/g, ' ');

function asData(tandem: Tandem, { texts: _texts, speed, loss, ...found }: Evaluation) {
  return {
    version: VERSION,
    ...runFacts(tandem),
    ...found,
    loss: { ...loss, perplexity: Math.exp(loss.perToken) },
    speed: { ...speed, tokensPerSecond: speed.tokens / speed.seconds },
  };
}

function page(tandem: Tandem, found: Evaluation): string {
  const { quality, copying, draftAlone, loss, agreement, speed } = found;
  const { name, level, threads } = tandem.backend;
  const { tokensPerTargetCall, acceptanceRate } = speed.metrics;
  const row = (what: string, one: typeof quality) => [what, one.bleu.score.toFixed(2), one.chrf.toFixed(2)];
  const rows = [row(tandem.target.name, quality)];
  if (draftAlone !== null) rows.push(row(`${tandem.drafter}, alone`, draftAlone));
  rows.push(row('copying the source', copying));
  const lines = [
    `${found.pairs} pairs, ${tandem.target.dtype} on ${name} (${level}), ${threads} threads`,
    table(['', 'BLEU', 'chrF'], rows),
    `loss of the references: ${loss.perToken.toFixed(4)} a token (perplexity ${Math.exp(loss.perToken).toFixed(3)}, ${loss.tokens} tokens)`,
  ];
  if (agreement !== null) {
    const { positions, greedy, sampled } = agreement;
    lines.push(
      `α along the target's texts (${positions} tokens): greedy ${greedy.toFixed(4)}, temperature 1 ${sampled.toFixed(4)}`,
    );
  }
  const rate = `${(speed.tokens / speed.seconds).toFixed(1)} tokens/s (${speed.tokens} tokens in ${speed.seconds.toFixed(1)} s)`;
  const gain =
    tandem.drafter === null
      ? ''
      : `, ${tokensPerTargetCall.toFixed(2)} tokens a target call, α here ${acceptanceRate.toFixed(3)}`;
  return `${lines.join('\n')}\nspeed: ${rate}${gain}\n`;
}
