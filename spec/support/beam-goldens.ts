import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type BeamDrafter, type BeamSettings, beamSearch } from '../../decoding';
import type { SequenceModel } from '../../engine';
import type { Pair } from './equality';
import { type GoldenBeams, goldenCheckpoint, readGolden } from './goldens';

/** Tolerance of a score. Upstream computes it in float32 and rounds the sum at every step. */
const TOLERANCE = 1e-4;

/** One search that Hugging Face's generate has made. */
export interface GoldenSearch {
  readonly source: readonly number[];
  readonly eos: readonly number[];
  readonly settings: BeamSettings;
  /** Best first. */
  readonly sequences: GoldenBeams['settings'][number]['sequences'];
}

/** The searches in a model's golden file: 2 and 4 beams, two length penalties, with and without early stopping. */
export function goldenSearches(name: string): GoldenSearch[] {
  return (readGolden(name).beamSearch ?? []).flatMap(({ source, eos, maxNewTokens, settings }) =>
    settings.map(({ sequences, beams, ...rest }) => ({
      source,
      eos: [eos],
      settings: { ...rest, maxNewTokens, numBeams: beams, numReturnSequences: beams },
      sequences,
    })),
  );
}

interface SettingsGolden {
  readonly checkpoint: string;
  readonly source: readonly number[];
  readonly maxNewTokens: number;
  readonly searches: readonly (Omit<GoldenSearch, 'source' | 'settings'> & {
    readonly settings: Omit<BeamSettings, 'numBeams' | 'suppressTokens'> & {
      readonly beams: number;
      readonly suppress?: readonly number[];
      /** [m, r]: allowed are the ids that leave the rest r by m together with the sum of the ids before. */
      readonly allow?: readonly [number, number];
    };
  })[];
}

/**
 * Searches of a random model under other settings. `beam-settings`: other endings and lengths, processors, several EOS;
 * `beam-rules`: rules that look at whole rows.
 */
export function goldenSettings(checkpoint: string, name: 'beam-settings' | 'beam-rules'): GoldenSearch[] {
  const file = path.join(__dirname, '..', 'data', 'goldens', `${name}.json`);
  const goldens: SettingsGolden[] = JSON.parse(readFileSync(file, 'utf8'));
  const golden = goldens.find((one) => one.checkpoint === checkpoint);
  return (golden?.searches ?? []).map(({ eos, settings, sequences }) => ({
    source: golden?.source ?? [],
    eos,
    settings: settingsOf(settings, vocabularyOf(checkpoint), golden?.maxNewTokens),
    sequences,
  }));
}

/** Translates the golden file's names into Tandem's. */
function settingsOf(
  { beams, suppress, allow, ...rest }: SettingsGolden['searches'][number]['settings'],
  vocabulary: number,
  maxNewTokens?: number,
): BeamSettings {
  const prefixAllowedTokens = allow && ((ids: readonly number[]) => allowedBy(allow, ids, vocabulary));
  const lengths = { maxNewTokens, numBeams: beams, numReturnSequences: beams };
  return { ...rest, suppressTokens: suppress, prefixAllowedTokens, ...lengths };
}

function vocabularyOf(checkpoint: string): number {
  return JSON.parse(readFileSync(path.join(goldenCheckpoint(checkpoint), 'config.json'), 'utf8')).vocab_size;
}

/** Ids that `allow` leaves after these ids. */
function allowedBy([modulus, rest]: readonly [number, number], ids: readonly number[], vocabulary: number): number[] {
  const sum = ids.reduce((total, id) => total + id, 0);
  return Array.from({ length: vocabulary }, (_, id) => id).filter((id) => (id + sum) % modulus === rest);
}

/** The model with other EOS tokens. */
function ending(model: SequenceModel, eosTokens: readonly number[]): SequenceModel {
  const { vocabularySize, startToken } = model;
  return {
    vocabularySize,
    startToken,
    eosTokens,
    encode: (sources) => model.encode(sources),
    forward: (rows, options) => model.forward(rows, options),
  };
}

/** Runs every search with and without a draft. Describes where one differs from its golden, or the two from each other. */
export async function differences(pair: Pair, searches: readonly GoldenSearch[]): Promise<string[]> {
  const found: string[] = [];
  for (const [i, { source, eos, settings, sequences }] of searches.entries()) {
    const target = ending(pair.target, eos);
    const drafter: BeamDrafter = { model: pair.draft, width: sequences.length + (i % 3), gamma: 1 + (i % 4) };
    const plain = await beamSearch({ target, source, settings });
    const speculative = await beamSearch({ target, source, settings, drafter });
    const title = `${source.length} ids, ${JSON.stringify(settings)}`;
    const tokens = (list: readonly (readonly number[])[]) => JSON.stringify(list);
    if (tokens(plain.sequences.map(({ ids }) => ids)) !== tokens(sequences.map((one) => one.tokens))) {
      found.push(`${title}: tokens ${tokens(plain.sequences.map(({ ids }) => ids))}`);
    } else if (!plain.sequences.every(({ score }, at) => Math.abs(score - sequences[at].score) <= TOLERANCE)) {
      found.push(`${title}: scores ${plain.sequences.map(({ score }) => score)}`);
    }
    if (JSON.stringify(plain.sequences) !== JSON.stringify(speculative.sequences)) {
      found.push(`${title}: with a draft ${JSON.stringify(speculative.sequences)}`);
    }
  }
  return found;
}

/** A search of one passage, whose settings differ from passage to passage. */
function variedSearch(i: number): { settings: BeamSettings; width: number; gamma: number } {
  const beams = 1 + (i % 4);
  const earlyStopping = ([false, true, 'never'] as const)[Math.floor(i / 4) % 3];
  const lengthPenalty = [1, 0.6, 0, 1.5][Math.floor(i / 12) % 4];
  const settings = {
    numBeams: beams,
    earlyStopping,
    lengthPenalty,
    numReturnSequences: beams,
    maxNewTokens: 96,
  };
  return { settings, width: beams + (Math.floor(i / 2) % 5), gamma: 1 + (i % 5) };
}

/** Searches each passage with and without the pair's draft, expects equal bits, and counts the target calls of both. */
export async function compareSearches(
  { target, draft }: Pair,
  sources: readonly (readonly number[])[],
): Promise<{ plain: number; speculative: number }> {
  let [plain, speculative] = [0, 0];
  for (const [i, source] of sources.entries()) {
    const { settings, width, gamma } = variedSearch(i);
    const expected = await beamSearch({ target, source, settings });
    const found = await beamSearch({ target, source, settings, drafter: { model: draft, width, gamma } });
    expect({ i, sequences: found.sequences }).toEqual({ i, sequences: expected.sequences });
    plain += expected.metrics.targetCalls;
    speculative += found.metrics.targetCalls;
  }
  return { plain, speculative };
}
