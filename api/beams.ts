import { beamSearch } from '../decoding';
import { type Loaded, sourceIds } from './load';
import type { BeamSearchOptions, TextBeams } from './types';

/** See `Tandem.beamSearch`. */
export async function beamsOf(
  loaded: Loaded,
  input: string | readonly number[],
  options: BeamSearchOptions,
): Promise<TextBeams> {
  const { gamma, speculative = true, signal, ...settings } = options;
  const { target, beamDrafter, tokenizer } = loaded;
  const drafter = speculative && beamDrafter ? { ...beamDrafter, gamma } : null;
  const { sequences, metrics } = await beamSearch({
    target,
    source: sourceIds(loaded, input),
    settings,
    drafter,
    signal,
  });
  return {
    sequences: sequences.map((sequence) => ({ ...sequence, text: tokenizer?.decode(sequence.ids) ?? '' })),
    metrics,
  };
}
