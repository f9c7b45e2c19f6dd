import { type BeamSearchOptions, type Tandem, VERSION } from '../api';
import { expectAll } from './decode';
import { isCancellation, oneLine } from './failure';
import { type Input, sourceOf } from './inputs';

/** `tandem generate --beams`: the best sequences of each input, a line each; with several, each after its score. */
export async function searchAll(
  tandem: Tandem,
  inputs: readonly Input[],
  options: BeamSearchOptions,
  json: boolean,
): Promise<void> {
  let failures = 0;
  for (const [index, input] of inputs.entries()) {
    try {
      process.stdout.write(await searched(tandem, input, options, json));
    } catch (error) {
      if (isCancellation(error) || inputs.length === 1) throw error;
      failures++;
      process.stderr.write(`tandem: line ${index + 1}: ${oneLine(error)}\n`);
    }
  }
  expectAll(inputs.length, failures);
}

async function searched(tandem: Tandem, input: Input, options: BeamSearchOptions, json: boolean): Promise<string> {
  const { sequences, metrics } = await tandem.beamSearch(sourceOf(input), options);
  if (!json) {
    const told = ({ text, ids }: { text: string; ids: readonly number[] }) => (tandem.tokenizer ? text : ids.join(' '));
    const scored = (options.sequences ?? 1) > 1;
    return sequences.map((one) => `${scored ? `${one.score.toFixed(4)}\t` : ''}${told(one)}\n`).join('');
  }
  const { name, level, threads } = tandem.backend;
  const { signal: _signal, ...settings } = options;
  const [best] = sequences;
  const run = {
    target: tandem.target.name,
    draft: tandem.drafter?.name ?? null,
    type: tandem.target.dtype,
    backend: { name, level, threads },
    version: VERSION,
    settings,
  };
  return `${JSON.stringify({ text: best.text, ids: best.ids, score: best.score, sequences, metrics, ...run })}\n`;
}
