import { type BeamDrafter, type BeamSettings, beamSearch } from '../../../decoding';
import { beamRules } from '../../../decoding/beam/settings';

import { randomTable, tableModel } from '../../support/table-model';

const table = (vocabulary: number) => tableModel({ vocabulary, logits: randomTable(vocabulary, 1), eosTokens: [2] });

/** What a caller without types could pass. */
const search = (settings: object, drafter?: object) => {
  const target = table(5);
  const request = { target, source: [1], settings: settings as BeamSettings, drafter: drafter as BeamDrafter };
  return beamSearch(request).finally(() => expect([target.calls(), target.open()]).toEqual([0, 0]));
};

describe('settings of beam search', () => {
  it('mean 4 beams, a length penalty of 1, no early stopping, 128 tokens and one sequence when nothing is said', () => {
    expect(beamRules({}, table(5), [1])).toEqual({
      numBeams: 4,
      lengthPenalty: 1,
      earlyStopping: false,
      maxNewTokens: 128,
      numReturnSequences: 1,
      eosTokens: [2],
      source: [1],
      processing: {},
    });
  });

  it.each([
    [{ numBeams: 0 }, 'numBeams: expected a whole number from 1 to 1024, found 0'],
    [{ numBeams: 2.5 }, 'numBeams: expected a whole number from 1 to 1024, found 2.5'],
    [
      { numBeams: 2, numReturnSequences: 3 },
      'numReturnSequences: expected a whole number from 1 to 2, as many as beams, found 3',
    ],
    [{ lengthPenalty: Number.NaN }, 'lengthPenalty: expected a number, found NaN'],
    [{ lengthPenalty: '1' }, "lengthPenalty: expected a number, found '1'"],
    [{ earlyStopping: 'always' }, "earlyStopping: expected true or false, or never, found 'always'"],
    [{ maxNewTokens: 0 }, 'maxNewTokens: expected a whole number from 1 up, found 0'],
    [{ suppressTokens: [7] }, 'suppressTokens: expected ids from 0 to 4, found 7'],
    [{ noRepeatNgramSize: 0 }, 'noRepeatNgramSize: expected a whole number from 1 up, found 0'],
    [
      { temperature: 0.7 },
      expect.stringMatching(
        /^beam search: unknown option 'temperature'; known are numBeams, lengthPenalty, .*, maxNewTokens$/,
      ),
    ],
    [{ doSample: true }, expect.stringMatching(/^beam search: expected options of Tandem, found 'doSample': a temper/)],
    [{ numBeamGroups: 2 }, expect.stringMatching(/found 'numBeamGroups': groups of diverse beams left transformers/)],
  ])('%j is refused before anything is run', async (settings, message) => {
    await expect(search(settings)).rejects.toMatchObject({ code: 'option-invalid', message });
  });

  it.each([
    [{ width: 2 }, 'option-invalid', 'width: expected a whole number from 3 to 1024, found 2'],
    [{ gamma: -1 }, 'option-invalid', 'gamma: expected a whole number from 0 to 64, found -1'],
    [{ model: table(6) }, 'vocabulary-mismatch', 'draft: expected a vocabulary of 5, found 6'],
  ])('a draft with %j is refused before anything is run', async (changes, code, message) => {
    await expect(search({ numBeams: 3 }, { model: table(5), ...changes })).rejects.toMatchObject({ code, message });
  });
});
