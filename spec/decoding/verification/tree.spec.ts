import fc from 'fast-check';
import { type ProposedToken, tokensTo } from '../../../decoding/proposal';
import { type Distribution, probabilityOf } from '../../../decoding/sampling/distribution';
import { sampleWithoutReplacement } from '../../../decoding/sampling/draw';
import { type Random, seededRandom } from '../../../decoding/sampling/random';
import { PAPERS_RULE, type TokenRule, verifyTokens } from '../../../decoding/verification/token';
import { verifyTree } from '../../../decoding/verification/tree';

import { enumerate, type Outcomes, totalVariation } from '../../support/enumerator';

const AT = { sequence: 'tree', round: 0, position: 1 };
const VOCABULARY = 3;
type Law = (prefix: readonly number[]) => Distribution;

const rows = fc.array(
  fc
    .array(fc.integer({ min: 0, max: 6 }), { minLength: VOCABULARY, maxLength: VOCABULARY })
    .filter((row) => row.some((weight) => weight > 0)),
  { minLength: 13, maxLength: 13 },
);

const lawOf =
  (weights: readonly (readonly number[])[]): Law =>
  (prefix) => {
    const row = weights[prefix.reduce((index, token) => index * VOCABULARY + token + 1, 0) % weights.length];
    const total = row.reduce((sum, weight) => sum + weight, 0);
    const probabilities = Float64Array.from(row, (weight) => weight / total);
    return { vocabulary: VOCABULARY, tokens: null, probabilities };
  };

interface Scored {
  readonly tree: readonly ProposedToken[];
  readonly targets: readonly Distribution[];
}

/** A tree with widths[depth] siblings at every position of a depth, and the target's distributions before and after each token. */
function grow(target: Law, draft: Law, widths: readonly number[], random: Random): Scored {
  const tree: ProposedToken[] = [];
  let places = [-1];
  for (const [depth, width] of widths.entries()) {
    const next: number[] = [];
    for (const parent of places) {
      const prefix = tokensTo(tree, parent);
      const at = { ...AT, sequence: `tree/${prefix.join('.')}`, position: AT.position + depth };
      for (const draw of sampleWithoutReplacement(draft(prefix), width, random, at)) {
        next.push(tree.push({ draw, parent }) - 1);
      }
    }
    places = next;
  }
  return { tree, targets: [-1, ...tree.keys()].map((last) => target(tokensTo(tree, last))) };
}

interface Case {
  readonly target: Law;
  readonly draft: Law;
  readonly widths: readonly number[];
  readonly parts?: TokenRule;
}

/** Distribution of the first `length` tokens; tokens after the round are sampled from the target. */
async function outcomes({ target, draft, widths, parts }: Case, length: number): Promise<Outcomes> {
  const found: Outcomes = new Map();
  const round = await enumerate(async (random) => {
    const { tree, targets } = grow(target, draft, widths, random);
    const { path, next } = verifyTree(tree, targets, random, AT, parts);
    return [...tokensTo(tree, path[path.length - 1] ?? -1), next.token].join();
  });
  const extend = (prefix: readonly number[], mass: number): void => {
    if (prefix.length >= length) {
      const key = prefix.slice(0, length).join();
      found.set(key, (found.get(key) ?? 0) + mass);
      return;
    }
    target(prefix).probabilities.forEach((share, token) => {
      if (share > 0) extend([...prefix, token], mass * share);
    });
  };
  for (const [text, mass] of round) extend(text.split(',').map(Number), mass);
  return found;
}

function targetLaw(target: Law, length: number): Outcomes {
  const law: Outcomes = new Map();
  const walk = (prefix: readonly number[], mass: number): void => {
    if (prefix.length === length) law.set(prefix.join(), mass);
    else {
      target(prefix).probabilities.forEach((share, token) => {
        if (share > 0) walk([...prefix, token], mass * share);
      });
    }
  };
  walk([], 1);
  return law;
}

async function meanAccepted({ target, draft, widths }: Case): Promise<number> {
  const lengths = await enumerate(async (random) => {
    const { tree, targets } = grow(target, draft, widths, random);
    return String(verifyTree(tree, targets, random, AT).path.length);
  });
  return [...lengths].reduce((sum, [accepted, mass]) => sum + Number(accepted) * mass, 0);
}

describe('recursive rejection without replacement', () => {
  it.each([[[1]], [[2]], [[3]], [[5]], [[2, 1]], [[1, 2]]])(
    'has the target distribution with %j siblings at each depth, by enumeration (total variation ≤ 1e-12)',
    async (widths) => {
      await fc.assert(
        fc.asyncProperty(rows, rows, async (target, draft) => {
          const test = { target: lawOf(target), draft: lawOf(draft), widths };
          const length = widths.length + 1;
          expect(totalVariation(await outcomes(test, length), targetLaw(test.target, length))).toBeLessThanOrEqual(
            1e-12,
          );
        }),
        { numRuns: 8 },
      );
    },
  );

  it('never accepts less with more siblings (slack 1e-12), and always when they cover the target', async () => {
    let covered = 0;
    await fc.assert(
      fc.asyncProperty(rows, rows, async (target, draft) => {
        const [wanted, proposed] = [lawOf(target), lawOf(draft)];
        const rates: number[] = [];
        for (const width of [1, 2, 3])
          rates.push(await meanAccepted({ target: wanted, draft: proposed, widths: [width] }));
        expect(rates[1]).toBeGreaterThanOrEqual(rates[0] - 1e-12);
        expect(rates[2]).toBeGreaterThanOrEqual(rates[1] - 1e-12);
        if (!proposed([]).probabilities.every((share) => share > 0)) return;
        covered++;
        expect(rates[2]).toBeCloseTo(1, 12);
      }),
      { numRuns: 40 },
    );
    expect(covered).toBeGreaterThan(3);
  });

  it('decides a chain as token verification does, with the same random numbers', () => {
    fc.assert(
      fc.property(rows, rows, fc.nat(9999), (target, draft, seed) => {
        const [wanted, random] = [lawOf(target), seededRandom(seed)];
        const { tree, targets } = grow(wanted, lawOf(draft), [1, 1, 1], random);
        const verdict = verifyTokens(tree, targets, random, AT);
        expect(verifyTree(tree, targets, random, AT)).toEqual(verdict);
      }),
    );
  });

  it('draws different tokens, all with mass, with the distribution of a draw without replacement (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (weights) => {
        const law = lawOf(weights)([]);
        const pairs = await enumerate(async (random) =>
          sampleWithoutReplacement(law, 2, random, AT)
            .map((draw) => draw.token)
            .join(),
        );
        const expected: Outcomes = new Map();
        const share = (token: number) => probabilityOf(law, token);
        for (const a of [0, 1, 2]) {
          if (share(a) === 1) expected.set(String(a), 1);
          else if (share(a) > 0) {
            for (const b of [0, 1, 2]) {
              if (b !== a && share(b) > 0) expected.set(`${a},${b}`, (share(a) * share(b)) / (1 - share(a)));
            }
          }
        }
        expect(totalVariation(pairs, expected)).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  const mutants: [string, TokenRule][] = [
    ['keeps the target for the next candidate', { ...PAPERS_RULE, residual: (target) => target }],
    ['accepts the first candidate always', { ...PAPERS_RULE, accepts: () => true }],
    [
      'takes the draft for one-hot',
      {
        ...PAPERS_RULE,
        accepts: (target, draw, random, at) => random.accept(probabilityOf(target, draw.token), 1, at),
      },
    ],
  ];
  it.each(mutants)('enumeration catches one that %s', async (_, parts) => {
    const target = lawOf([[1, 2, 3]]);
    const draft = lawOf([[3, 2, 1]]);
    const found = await outcomes({ target, draft, widths: [2], parts }, 1);
    expect(totalVariation(found, targetLaw(target, 1))).toBeGreaterThan(1e-3);
  });
});
