import fc from 'fast-check';
import { collect, copyDrafter, generate, modelDrafter, scoreTargets } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { openCheckpoint } from '../../weights';
import { goldenCheckpoint } from '../support/goldens';
import { randomTable, type TableModel, tableModel } from '../support/table-model';
import { readUses } from '../support/uses';

interface ScoreGolden {
  readonly cases: readonly {
    readonly checkpoint: string;
    readonly source: readonly number[];
    readonly targets: readonly (readonly number[])[];
    readonly scores: readonly (readonly number[])[];
    readonly greedy: readonly {
      readonly token: number;
      readonly logProb: number;
      readonly top: readonly (readonly [token: number, logProb: number])[];
    }[];
  }[];
}

const golden = readUses<ScoreGolden>('scores');
/** Goldens of random models hold to 1e-5 of the logits’ scale. These models’ logits reach 7, 17 and 13, so this is less than that. */
const TOLERANCE = 5e-5;

describe.each(golden.cases)('log-probabilities of $checkpoint', ({ checkpoint, source, targets, scores, greedy }) => {
  let backend: Backend;
  let model: T5Model;
  beforeAll(async () => {
    backend = await createBackend('wasm', { threads: 1 });
    const opened = await openCheckpoint(goldenCheckpoint(checkpoint));
    model = await loadModel(opened, backend);
    await opened.dispose();
  });
  afterAll(async () => {
    model.dispose();
    await backend.dispose();
  });

  it("of several targets are Hugging Face's within 5e-5, token for token and in all", async () => {
    const found = await scoreTargets({ target: model, source, targets });
    for (const [i, { ids, logProb, tokens }] of found.entries()) {
      expect(ids).toEqual(targets[i]);
      expect(tokens.map(({ token }) => token)).toEqual(targets[i]);
      for (const [j, one] of tokens.entries()) expect(Math.abs(one.logProb - scores[i][j])).toBeLessThan(TOLERANCE);
      const sum = scores[i].reduce((total, value) => total + value, 0);
      expect(Math.abs(logProb - sum)).toBeLessThan(TOLERANCE * targets[i].length);
    }
  });

  it.each([
    ['alone', 0],
    ['drafted by itself', 3],
    ['drafted by copying', 3],
  ] as const)("of generated tokens and of the best three are Hugging Face's within 5e-5, %s", async (how, gamma) => {
    const drafter =
      gamma === 0 ? null : how.endsWith('copying') ? copyDrafter(model.vocabularySize) : modelDrafter(model);
    const settings = { maxNewTokens: 8, minNewTokens: 8, logProbs: 3, gamma };
    const { ids, logProbs = [] } = await collect(generate({ target: model, drafter, source, settings }));
    expect(ids).toEqual(greedy.map(({ token }) => token));
    expect(logProbs).toHaveLength(8);
    for (const [i, { token, logProb, top = [] }] of logProbs.entries()) {
      expect(token).toBe(greedy[i].token);
      expect(Math.abs(logProb - greedy[i].logProb)).toBeLessThan(TOLERANCE);
      expect(top.map((one) => one.token)).toEqual(greedy[i].top.map(([id]) => id));
      for (const [j, one] of top.entries()) expect(Math.abs(one.logProb - greedy[i].top[j][1])).toBeLessThan(TOLERANCE);
    }
  });

  it('of generated tokens are the bits that scoring the text gives, whatever the temperature and the draft', async () => {
    for (const gamma of [0, 4]) {
      const settings = { temperature: 0.7, topK: 20, seed: 9, maxNewTokens: 12, logProbs: 2, gamma };
      const result = await collect(generate({ target: model, drafter: modelDrafter(model), source, settings }));
      const [scored] = await scoreTargets({ target: model, source, targets: [result.ids], top: 2 });
      expect(result.logProbs).toEqual(scored.tokens);
    }
  });

  it('a target has the bits that it has alone: beside others with its beginning, and in pieces of a long one', async () => {
    const long = Array.from({ length: 150 }, (_, i) => 2 + ((i * 37) % (model.vocabularySize - 2)));
    const all = [...targets, long, long.slice(0, 40), ...Array.from({ length: 30 }, (_, i) => long.slice(i, i + 9))];
    const together = await scoreTargets({ target: model, source, targets: all, top: 1 });
    for (const [i, ids] of all.entries()) {
      expect(together[i]).toEqual((await scoreTargets({ target: model, source, targets: [ids], top: 1 }))[0]);
    }
  });
});

describe('scoring', () => {
  const VOCABULARY = 7;
  const table = (seed: number, around = (model: TableModel) => model) =>
    around(tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] }));
  const ids = fc.array(fc.nat(VOCABULARY - 1), { minLength: 1, maxLength: 5 });

  it('every token of the vocabulary in one place: the probabilities sum to 1 for one call of one row', async () => {
    const target = table(3);
    const targets = Array.from({ length: VOCABULARY }, (_, id) => [4, id]);
    const scores = await scoreTargets({ target, source: [3, 1], targets });
    const total = scores.reduce((sum, { tokens }) => sum + Math.exp(tokens[1].logProb), 0);
    expect(total).toBeCloseTo(1, 6);
    expect(target.calls()).toBe(1);
  });

  it('no target asks nothing of the model, whatever the source', async () => {
    for (const source of [[3, 1], []]) {
      const model = table(3);
      const encode = jest.fn(model.encode);
      expect(await scoreTargets({ target: { ...model, encode }, source, targets: [] })).toEqual([]);
      expect([encode.mock.calls.length, model.calls()]).toEqual([0, 0]);
    }
  });

  it('of a generated text is what generating it tells, for any number of best tokens, none included', async () => {
    const cases = fc.record({
      seed: fc.nat(999),
      top: fc.nat(9),
      gamma: fc.nat(4),
      temperature: fc.constantFrom(0, 1),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, top, gamma, temperature }) => {
        const [target, source] = [table(seed), [3, 1]];
        const settings = { seed, temperature, gamma, maxNewTokens: 9, logProbs: top };
        const drafter = modelDrafter(table(seed + 1));
        const result = await collect(generate({ target, drafter, source, settings }));
        const [{ tokens }] = await scoreTargets({ target, source, targets: [result.ids], top });
        expect(result.logProbs).toEqual(tokens);
      }),
    );
  });

  it('the whole is the sum of its tokens, the best tokens come first, and everything is given back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.array(ids, { maxLength: 20 }), fc.nat(9), async (seed, targets, top) => {
        const target = table(seed);
        const scores = await scoreTargets({ target, source: [3, 1], targets, top });
        expect(scores.map((score) => score.ids)).toEqual(targets);
        for (const { logProb, tokens } of scores) {
          expect(logProb).toBe(tokens.reduce((sum, token) => sum + token.logProb, 0));
          for (const one of tokens) {
            if (top === 0) expect(one.top).toBeUndefined();
            else expect(one.top).toHaveLength(Math.min(top, VOCABULARY));
            const probabilities = one.top?.map((each) => each.logProb) ?? [];
            expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
            if (top > 0) expect(probabilities[0]).toBeGreaterThanOrEqual(one.logProb);
          }
        }
        expect(target.open()).toBe(0);
      }),
    );
  });

  it.each([
    ['no token', [[4], []], 'argument-invalid', /target 1: expected at least one token/],
    ['an id past the vocabulary', [[4, 7]], 'token-invalid', /target 0: token: expected 0 to 6, found 7/],
    ['an id below 0', [[-1]], 'token-invalid', /found -1/],
    ['an id with a fraction', [[1.5]], 'token-invalid', /found 1\.5/],
  ] as const)('a target of %s is refused by name, before anything is encoded', async (_, targets, code, message) => {
    const target = table(3);
    const error = await scoreTargets({ target, source: [3, 1], targets }).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'DecodingError', code, message: expect.stringMatching(message) });
    expect([target.open(), target.calls()]).toEqual([0, 0]);
  });

  it('a cancel is heard between calls, an error of a call ends it, and both give everything back', async () => {
    const targets = Array.from({ length: 99 }, (_, i) => [2 + (i % 5), 3, 4]);
    for (const how of ['before', 'between', 'fails', 'encode fails']) {
      const controller = new AbortController();
      let calls = 0;
      const target = table(3);
      const failing = {
        ...target,
        encode: how === 'encode fails' ? () => Promise.reject(new Error('encode fails')) : target.encode,
        forward: (...args: Parameters<typeof target.forward>) => {
          if (++calls === 2 && how === 'fails') throw new Error('fails');
          return target.forward(...args);
        },
      };
      if (how === 'before') controller.abort();
      const betweenCalls = async () => {
        if (how === 'between') controller.abort();
      };
      const request = { target: failing, source: [3, 1], targets, signal: controller.signal, betweenCalls };
      const error = await scoreTargets(request).catch((thrown) => thrown);
      expect([how, error.code ?? error.message]).toEqual([how, how.endsWith('fails') ? how : 'aborted']);
      expect([how, target.open(), calls]).toEqual([how, 0, { between: 1, fails: 2 }[how] ?? 0]);
    }
  });
});
