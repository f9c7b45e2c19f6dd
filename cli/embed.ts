import type { Command } from 'commander';
import { EMBED_OPTIONS, type EmbedOptions, LOAD_OPTIONS, type LoadOptions, type Tandem } from '../api';
import { listOf, type OptionTable, TandemError, text, whole } from '../common';
import { EXIT, isCancellation, oneLine } from './failure';
import { addFlags, optionsOf } from './flags';
import type { LoadFlags } from './generate/flags';
import { type Input, type InputFlags, readInputs } from './generate/inputs';
import { loadTandem } from './loading';
import { checkModelName } from './models';
import { jsonLine } from './terminal';
import { VERBOSITY, type Verbosity } from './verbosity';

/** The options of loading that concern a model without a draft. */
const { draft: _draft, ...LOADING } = LOAD_OPTIONS;

export const MODEL_FLAGS: OptionTable = {
  model: {
    ...text(1),
    about:
      'a checkpoint directory or a hub id, as sentence-transformers/sentence-t5-base (default: the bundled pair’s target)',
    flag: '-m, --model <name>',
  },
  ...LOADING,
};

const INPUT_FLAGS: OptionTable = {
  file: { ...text(1), about: 'take each line of a file of UTF-8 text', flag: '-f, --file <path>' },
  document: { ...text(1), about: 'take a whole file as one text; - is standard input', flag: '--document <path>' },
  ids: { ...listOf(whole(0), 'token ids, as 5,17,1', 1), about: 'source ids in place of text', flag: '--ids <ids>' },
};

export interface EmbedFlags extends InputFlags, Verbosity, Omit<LoadOptions, 'draft'>, Omit<EmbedOptions, 'signal'> {
  readonly model?: string;
}

/** Puts the argument and the flags of `tandem embed` on a command. */
export function addEmbedFlags(command: Command): Command {
  command
    .description('print the vector of each text: one JSON object a line, with index, line, input and embedding')
    .argument('[text...]', 'one text; `-` or nothing reads standard input, each line of which is a text');
  for (const table of [INPUT_FLAGS, MODEL_FLAGS, EMBED_OPTIONS, VERBOSITY]) addFlags(command, table);
  return command;
}

/** Loads a model that nothing drafts for. */
export async function loadAlone(flags: Omit<LoadFlags, 'draft'>, signal: AbortSignal): Promise<Tandem> {
  const { model } = flags;
  if (model !== undefined) checkModelName(model, '--model');
  return loadTandem(flags, signal, { draft: null });
}

/** Texts that are embedded and printed at a time. */
const GROUP = 64;

/** `tandem embed`: what is finished is printed, and a line that fails says so in its place. */
export async function embed(words: readonly string[], flags: EmbedFlags, signal: AbortSignal): Promise<void> {
  const items = (await readInputs(words, flags, signal)).filter((item) => item.kind !== 'blank');
  const tandem = await loadAlone(flags, signal);
  const options = { ...optionsOf(flags, EMBED_OPTIONS), signal } as EmbedOptions;
  try {
    for (let first = 0; first < items.length; first += GROUP) {
      const group = items.slice(first, first + GROUP);
      const vectors = await vectorsOf(
        tandem,
        group.filter((item) => item.kind === 'input'),
        options,
      );
      for (const item of group) {
        const place = { index: item.index, line: item.line, input: item.kind === 'input' ? item.source : null };
        const outcome = item.kind === 'broken' ? item.error : (vectors.get(item) as Float32Array | Error);
        if (outcome instanceof Error) process.exitCode = EXIT.failed;
        const code = outcome instanceof TandemError ? outcome.code : null;
        const found =
          outcome instanceof Error
            ? { error: { code, message: oneLine(outcome) } }
            : { embedding: Array.from(outcome) };
        process.stdout.write(jsonLine({ ...place, ...found }));
      }
    }
  } finally {
    await tandem.dispose();
  }
}

/** The vector of each input. Where the group fails, each is tried alone, to find out whose error it was. */
async function vectorsOf(tandem: Tandem, inputs: readonly Input[], options: EmbedOptions) {
  const found = new Map<Input, Float32Array | Error>();
  const all = await tandem
    .embed(
      inputs.map(({ source }) => source),
      options,
    )
    .catch((error: Error) => error);
  if (isCancellation(all)) throw all;
  for (const [i, input] of inputs.entries()) {
    const alone = () => tandem.embed(input.source, options).catch((error: Error) => error);
    found.set(input, all instanceof Error ? await alone() : all[i]);
  }
  return found;
}
