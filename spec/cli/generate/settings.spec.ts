import { flagName } from '../../../cli/flags';
import { settingsInForce } from '../../../cli/generate/settings';
import { keepModels, records } from '../inside';

keepModels();

const TEXT = 'And the word of the LORD came unto Jonah.';

/** The flags that ask for settings as a record states them. */
function flagsOf(settings: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (value === null || (Array.isArray(value) && value.length === 0)) return [];
    if (name === 'costs') {
      const { c, v } = value as { c: number; v: readonly number[] };
      return ['--costs', [c, ...v].join()];
    }
    if (name === 'stop') return (value as string[]).flatMap((text) => ['--stop', text]);
    if (name === 'sequenceBias') {
      const pairs = value as readonly (readonly [readonly number[], number])[];
      return ['--sequence-bias', pairs.map(([ids, bias]) => `${ids.join()}:${bias}`).join(';')];
    }
    if (typeof value === 'boolean' && name === 'renormalizeLogits') return value ? ['--renormalize-logits'] : [];
    if (name === 'badWords') return ['--bad-words', (value as number[][]).map((word) => word.join()).join(';')];
    return [flagName(name), String(value)];
  });
}

const WAYS: readonly (readonly string[])[] = [
  [],
  ['--gamma', '2', '--max-new-tokens', '5', '--suppress-tokens', '5,9', '--stop', ' came', '--stop', 'x,y'],
  ['-t', '0.8', '--top-k', '50', '--top-p', '0.9', '--min-p', '0.01', '--seed', '3', '--verification', 'coupled'],
  ['--branching', '2,1', '--repetition-penalty', '1.1', '--no-repeat-ngram-size', '3'],
  ['--costs', '0.11,1,1.3,1.5,1.9', '-t', '1'],
  ['--lenience', '0.5', '-t', '1', '--min-new-tokens', '3', '--forced-prefix', '5'],
  ['--sequence-bias', '5:-1.5;8,9:2', '--encoder-repetition-penalty', '1.5', '--encoder-no-repeat-ngram-size', '4'],
  ['--forced-bos-token', '7', '--forced-eos-token', '1,5', '--exponential-decay-length-penalty', '3,1.2', '-n', '6'],
  ['-t', '1', '--typical-p', '0.9', '--epsilon-cutoff', '0.01', '--eta-cutoff', '0.02', '--top-h', '0.8', '-n', '9'],
  ['-t', '1', '-n', '9', '-s', '6', '--gamma', 'auto'],
  ['-t', '1', '-n', '9', '-s', '7'],
  ['-t', '1', '-n', '9', '-s', '7', '--verification', 'block'],
  ['--num-beams', '2', '--renormalize-logits', '--begin-suppress-tokens', '5,7', '--sequence-bias', '9:1', '-n', '6'],
  ['--num-beams', '3', '--num-return-sequences', '2', '--length-penalty', '0.5', '--early-stopping', 'never'],
];

describe('the settings of a JSON record', () => {
  test.each(WAYS.map((way) => [way.join(' '), way] as const))(
    'are in force: given as flags they give the same tokens and the same settings (%s)',
    async (_, way) => {
      const [first] = await records(['generate', TEXT, ...way]);
      const again = flagsOf(first.settings).filter((word, i, all) => {
        // γ follows from the tree, and is not given beside it.
        const isGamma = word === '--gamma' || all[i - 1] === '--gamma';
        return !(isGamma && first.settings.branching);
      });
      const [second] = await records(['generate', TEXT, ...again]);
      expect(second.sequences).toEqual(first.sequences);
      expect(second.settings).toEqual(first.settings);
      if (first.settings.gamma !== 'auto') expect(second.metrics.rounds).toBe(first.metrics.rounds); // else clocks decide
    },
  );

  it('say what was given, in the numbers that were given', async () => {
    const args = ['generate', TEXT, '--costs', '0.25,1,2,4', '--max-new-tokens', '7', '--seed', '9', '-t', '0.5'];
    const [{ settings }] = await records(args);
    expect(settings).toMatchObject({ costs: { c: 0.25, v: [1, 2, 4] }, maxNewTokens: 7, seed: 9, temperature: 0.5 });
  });

  it('say every default', () => {
    expect(settingsInForce({})).toEqual({
      maxNewTokens: 128,
      minNewTokens: 0,
      gamma: 'auto',
      numBeams: 1,
      numReturnSequences: 1,
      forcedPrefix: [],
      truncate: false,
      sequenceBias: [],
      encoderRepetitionPenalty: 1,
      repetitionPenalty: 1,
      noRepeatNgramSize: null,
      encoderNoRepeatNgramSize: null,
      badWords: [],
      forcedBosToken: null,
      forcedEosToken: null,
      exponentialDecayLengthPenalty: null,
      suppressTokens: [],
      beginSuppressTokens: [],
      costs: null,
      branching: null,
      verification: 'token',
      lenience: 1,
      temperature: 0,
      topH: null,
      topK: null,
      topP: null,
      minP: null,
      typicalP: null,
      epsilonCutoff: null,
      etaCutoff: null,
      seed: 0,
      stop: [],
    });
    expect(settingsInForce({ numBeams: 4 })).not.toHaveProperty('temperature');
    expect(settingsInForce({ numBeams: 4 })).toHaveProperty('gamma', 4);
    expect(settingsInForce({ costs: { c: 0, v: [1] } })).toHaveProperty('gamma', 32);
    expect(settingsInForce({ temperature: 1, seed: 0, gamma: 'auto' })).toMatchObject({
      verification: 'coupled',
      seed: 0,
    });
    const free = { temperature: 1, gamma: 'auto', verification: 'token' } as const; // another text each time
    expect(settingsInForce(free)).toMatchObject({ gamma: 'auto', verification: 'token', seed: null });
    expect(settingsInForce({ temperature: 1, seed: 0 })).toMatchObject({
      gamma: 'auto',
      verification: 'coupled',
      seed: 0,
    });
    const asked = { temperature: 1, verification: 'token' } as const;
    expect(settingsInForce(asked)).toMatchObject({ gamma: 4, verification: 'token', seed: 0 });
  });

  it('are those of decoding without a draft where nothing proposes tokens', async () => {
    const named = (asked: object) => settingsInForce({ temperature: 1, ...asked }, false);
    expect(named({})).toMatchObject({ gamma: 0, verification: 'coupled', seed: 0 });
    expect(named({ verification: 'token' })).toMatchObject({ gamma: 0, verification: 'token', seed: 0 });
    const way = ['-t', '1', '-s', '6', '--draft', 'none', '-n', '9'];
    const [first] = await records(['generate', TEXT, ...way]);
    const { lenience: _needsDraft, ...settings } = first.settings;
    const [second] = await records(['generate', TEXT, ...flagsOf(settings), '--draft', 'none']);
    expect([second.sequences, second.settings]).toEqual([first.sequences, first.settings]);
  });
});
