import { type GenerateOptions, type Tandem, VERSION } from '../../api';
import { CommandError, isCancellation, oneLine } from '../failure';
import { jsonLine, shown } from '../terminal';
import type { Input } from './inputs';

/** `tandem generate --beams`: the best sequences of each input, a line each; with several, each after its score. */
export async function searchAll(
  tandem: Tandem,
  inputs: readonly Input[],
  options: GenerateOptions,
  json: boolean,
): Promise<void> {
  let failures = 0;
  for (const input of inputs) {
    try {
      process.stdout.write(await searched(tandem, input, options, json));
    } catch (error) {
      if (isCancellation(error) || inputs.length === 1) throw error;
      failures++;
      process.stderr.write(`tandem: line ${input.line}: ${oneLine(error)}\n`);
    }
  }
  if (failures > 0)
    throw new CommandError('source-invalid', `${inputs.length - failures} of ${inputs.length} lines decoded`);
}

async function searched(tandem: Tandem, input: Input, options: GenerateOptions, json: boolean): Promise<string> {
  const { sequences, beams: metrics } = await tandem.generate(input.source, options);
  if (!json) {
    const terminal = process.stdout.isTTY === true;
    const told = ({ text, ids }: { text: string; ids: readonly number[] }) =>
      tandem.hasTokenizer ? shown(text, terminal) : ids.join(' ');
    const scored = (options.numReturnSequences ?? 1) > 1;
    return sequences.map((one) => `${scored ? `${one.score?.toFixed(4)}\t` : ''}${told(one)}\n`).join('');
  }
  const { name, level, threads } = tandem.backend;
  const { signal: _signal, ...settings } = options;
  const [best] = sequences;
  const run = {
    target: tandem.target.name,
    draft: tandem.drafter,
    dtype: tandem.target.dtype,
    backend: { name, level, threads },
    version: VERSION,
    settings,
  };
  return jsonLine({ text: best.text, ids: best.ids, score: best.score, sequences, metrics, ...run });
}
