import { type CostParts, keyOf } from '../../../api/costs/parts';
import { VERSION } from '../../../api/version';

const model = (changes: object = {}) => ({
  ...{ name: 't5', dtype: 'f32', parameters: 60, weightBytes: 240, vocabularySize: 32, copyDtype: null },
  ...changes,
});
const facts = { name: 'wasm', level: 'simd', wide: { on: false, reason: 'it was not asked for' }, threads: 2 };

function keyWith(changes: { target?: object; drafts?: readonly object[]; drafter?: string; facts?: object }) {
  const { target = {}, drafts = [{ name: 'draft' }], drafter = 'model' } = changes;
  return keyOf({
    ...{ target: model(target), drafts: drafts.map(model), drafter: { name: drafter } },
    backend: { facts: { ...facts, ...changes.facts } },
  } as unknown as CostParts);
}

describe('costs of a pair', () => {
  it('belong to a version, to models with their sizes and types, to a drafter and to a backend', () => {
    expect(keyWith({})).toEqual({
      ...{ version: VERSION, target: 't5 f32 60 240 32', drafts: 'draft f32 60 240 32', drafter: 'model', copy: null },
      ...{ backend: 'wasm', level: 'simd', wide: false, threads: 2 },
    });
  });

  it('are others wherever one of these is another', () => {
    const sizes = [{ name: 'b' }, { dtype: 'q8' }, { parameters: 61 }, { weightBytes: 60 }, { vocabularySize: 33 }];
    const keys = [
      keyWith({}),
      ...sizes.map((target) => keyWith({ target })),
      ...sizes.map((draft) => keyWith({ drafts: [draft] })),
      ...[{ target: { copyDtype: 'q8' } }, { drafter: 'copy' }, { drafts: [] }, { drafts: [{}, {}] }].map(keyWith),
      ...[{ name: 'cpu' }, { level: 'relaxed-simd' }, { wide: { on: true } }, { threads: 1 }].map((changed) =>
        keyWith({ facts: changed }),
      ),
      // Where one draft ends and the next one begins counts.
      keyWith({ drafts: [{ vocabularySize: 3 }, { name: '2b' }] }),
      keyWith({ drafts: [{ vocabularySize: 32 }, { name: 'b' }] }),
    ].map((key) => JSON.stringify(key));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
