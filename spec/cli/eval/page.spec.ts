/** The page of tandem eval, its JSON and its file of texts, from made-up figures. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Tandem } from '../../../api';
import { type EvaluateJob, type Evaluation, evaluate } from '../../../cli/eval/measure';
import { inside } from '../inside';

jest.mock('../../../cli/eval/measure');

const folder = mkdtempSync(join(tmpdir(), 'tandem-eval-page-'));
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const score = fc.double({ min: 0, max: 100, noNaN: true });
const quality = fc.record({ bleu: fc.record({ score }), chrf: score });
const found = fc.record({
  ...{ pairs: fc.integer({ min: 1, max: 999 }), quality, copying: quality },
  texts: fc.array(fc.constantFrom('one', 'two\nlines', 'three\r\n\nmore', ''), { minLength: 1, maxLength: 4 }),
  draftAlone: fc.option(quality),
  loss: fc.record({ tokens: fc.nat(999), perToken: fc.double({ min: 0, max: 9, noNaN: true }) }),
  agreement: fc.option(fc.record({ positions: fc.nat(999), greedy: share, sampled: share })),
  speed: fc.record({
    ...{ tokens: fc.nat(999), seconds: fc.double({ min: 0.01, max: 99, noNaN: true }) },
    metrics: fc.record({ tokensPerTargetCall: fc.double({ min: 1, max: 9, noNaN: true }), acceptanceRate: share }),
  }),
});
const drafter = fc.option(fc.constantFrom('copy', 'small'));

/** Runs the command with figures of its measurement. @returns what the run gave, and what was measured */
async function run(figures: object, drafts: string | null, ...flags: string[]) {
  const jobs: EvaluateJob[] = [];
  jest.mocked(evaluate).mockImplementation(async (job) => {
    jobs.push(job);
    return figures as unknown as Evaluation;
  });
  const dispose = jest.fn(async () => undefined);
  jest.spyOn(Tandem, 'load').mockResolvedValue({
    ...{ target: { name: 'mine', dtype: 'q8' }, drafter: drafts, dispose },
    backend: { name: 'cpu', level: 'scalar', threads: 3 },
  } as unknown as Tandem);
  const path = join(folder, 'pairs.tsv');
  writeFileSync(path, 'a\tb\nc\td\ne\tf\n');
  const outcome = await inside(['eval', path, ...flags]);
  expect([outcome.status, outcome.stderr, dispose.mock.calls.length]).toEqual([0, '', 1]);
  return { stdout: outcome.stdout, job: jobs[0] };
}

describe('the page of tandem eval', () => {
  it('has a line for each figure that was measured, and none for what was not', async () => {
    await fc.assert(
      fc.asyncProperty(found, drafter, async (figures, drafts) => {
        const { stdout } = await run(figures, drafts);
        const { loss, agreement, speed, draftAlone, copying } = figures;
        const row = (what: string, one: typeof copying) => [what, one.bleu.score.toFixed(2), one.chrf.toFixed(2)];
        const alpha = speed.metrics.acceptanceRate.toFixed(3);
        const gain = `, ${speed.metrics.tokensPerTargetCall.toFixed(2)} tokens a target call, α here ${alpha}`;
        const seconds = speed.seconds.toFixed(1);
        expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
          [`${figures.pairs} pairs, q8 on cpu (scalar), 3 threads`],
          ['BLEU', 'chrF'],
          row('mine', figures.quality),
          ...(draftAlone === null ? [] : [row(`${drafts}, alone`, draftAlone)]),
          row('copying the source', copying),
          [''],
          [
            `loss of the references: ${loss.perToken.toFixed(4)} a token (perplexity ${Math.exp(loss.perToken).toFixed(3)}, ${loss.tokens} tokens)`,
          ],
          ...(agreement === null
            ? []
            : [
                [
                  `α along the target's texts (${agreement.positions} tokens): greedy ${agreement.greedy.toFixed(4)}, temperature 1 ${agreement.sampled.toFixed(4)}`,
                ],
              ]),
          [
            `speed: ${(speed.tokens / speed.seconds).toFixed(1)} tokens/s (${speed.tokens} tokens in ${seconds} s)${drafts === null ? '' : gain}`,
          ],
          [''],
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('as JSON has the figures as they are, and those that follow from them', async () => {
    await fc.assert(
      fc.asyncProperty(found, drafter, async ({ texts, ...figures }, drafts) => {
        const { stdout } = await run({ texts, ...figures }, drafts, '--json');
        const { loss, speed } = figures;
        const expected = {
          ...{ version: expect.any(String), target: 'mine', draft: drafts, dtype: 'q8' },
          backend: { name: 'cpu', level: 'scalar', threads: 3 },
          ...figures,
          loss: { ...loss, perplexity: Math.exp(loss.perToken) },
          speed: { ...speed, tokensPerSecond: speed.tokens / speed.seconds },
        };
        const plain = (value: object) => JSON.parse(JSON.stringify(value)); // JSON has no −0
        expect(JSON.parse(stdout)).toEqual({ ...plain(expected), version: expected.version });
      }),
      { numRuns: 40 },
    );
  });

  it('leaves each text on one line of the file, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(found, async (figures) => {
        const out = join(folder, 'texts.txt');
        await run(figures, null, '--out', out);
        const lines = figures.texts.map((text) => text.replace(/\s+/g, ' '));
        expect(readFileSync(out, 'utf8')).toBe(`${lines.join('\n')}\n`);
      }),
      { numRuns: 20 },
    );
  });

  it('measures the first pairs alone where a limit is given, with the options of decoding', async () => {
    const [figures] = fc.sample(found, 1);
    const pairs = ['a b', 'c d', 'e f'].map((pair) => ({ source: pair[0], reference: pair[2] }));
    for (const [limit, expected] of [
      [1, pairs.slice(0, 1)],
      [3, pairs],
      [9, pairs],
    ] as const) {
      const { job } = await run(figures, null, '--limit', String(limit), '--max-new-tokens', '7');
      expect([job.pairs, job.options]).toEqual([expected, { maxNewTokens: 7 }]);
    }
    expect((await run(figures, null)).job.pairs).toEqual(pairs);
  });
});
