import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type Dtype, probeLevel, type WasmLevel } from '../../kernels';
import { goldenPaths } from '../support/golden-files.node';
import { goldenFamilies } from '../support/goldens';
import { samplingBits } from '../support/sampling-bits';
import type { Outcome } from './page/harness';
import { BROWSERS, browserOf, describeIn } from './support/browsers';
import { answersOfNode, type PairGolden, shortestSentences } from './support/pair-in-node';
import { type Session, withSession } from './support/session';

const MODEL_FILES = readdirSync(path.join(__dirname, '..', '..', 'models', 'modernize-draft'));
const SENTENCES = shortestSentences(5);
const ONE_SENTENCE = SENTENCES.slice(0, 1);
const DTYPES: readonly Dtype[] = ['f32', 'bf16', 'q8'];
const MINUTES = 60_000;

/** WebKitGTK 2.50 gives its pages no shared memory, so one thread, and has no relaxed SIMD. */
const NEEDS = {
  chromium: { sharesMemory: true, hasRelaxedSimd: true },
  firefox: { sharesMemory: true, hasRelaxedSimd: true },
  webkit: { sharesMemory: false, hasRelaxedSimd: false },
} as const;

/** What a page without shared memory answers to a number of threads. */
const THREADS_REFUSED =
  /^KernelError unavailable: wasm: expected 4 threads, found 1: the page may not share memory between threads/;

function expectAllPassed(outcomes: readonly Outcome[]): void {
  expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
}

/** The best level that both Node and the page have: within one level bits never differ, so the ids must be the same. */
async function commonLevel(session: Session): Promise<WasmLevel> {
  const relaxed = await Promise.all([probeLevel('relaxed-simd'), session.call('findLevel', 'relaxed-simd')]);
  return relaxed.every(({ works }) => works) ? 'relaxed-simd' : 'simd';
}

interface PairRun {
  readonly dtype: Dtype;
  /** Threads that the page asks for by number (undefined: it leaves the choice to Tandem), and those it must be given. */
  readonly asked: number | undefined;
  readonly given: number;
  readonly cases: readonly PairGolden[];
}

/** Lets the page decode with the bundled pair, and compares with Node and with Hugging Face. */
async function expectAnswersOfNode(session: Session, { dtype, asked, given, cases }: PairRun): Promise<void> {
  const level = await commonLevel(session);
  const found = await session.call('decodeOnWasm', { threads: asked, level }, MODEL_FILES, { dtype, cases });
  expect(found).toMatchObject({ threads: given, level });
  expect(found.answers).toHaveLength(cases.length);
  expect(found.answers).toEqual(await answersOfNode(dtype, level, cases)); // ids, and the bits of logits
  expect(found.answers.map(({ speculative }) => speculative)).toEqual(found.answers.map(({ plain }) => plain));
  if (dtype === 'f32') expect(found.answers.map(({ plain }) => plain)).toEqual(cases.map(({ tokens }) => tokens));
  for (const { accepted } of found.answers) expect(accepted).toBeGreaterThan(0);
}

/** Runs the laws in the page, counts them, and expects that all hold. */
async function expectLaws(session: Session, level: WasmLevel, threads: number): Promise<void> {
  const outcomes = await session.call('runWasmLaws', { level, threads }, 5);
  expectAllPassed(outcomes);
  expect(outcomes.length).toBeGreaterThanOrEqual(90);
}

for (const browser of BROWSERS) {
  const { sharesMemory, hasRelaxedSimd } = NEEDS[browser.name];
  const threads = sharesMemory ? 2 : 1;

  describeIn(browser, 'wasm', () => {
    const session = withSession(browser, { page: '/isolated' });

    test(`the page is isolated and ${sharesMemory ? 'may' : 'may not'} share memory`, async () => {
      expect(await session().call('pageFacts')).toMatchObject({ isIsolated: true, sharesMemory });
    });

    test('probabilities and random numbers have Node’s bits, by the kernel and by the functions in JavaScript', async () => {
      const { reference } = await samplingBits();
      expect(await session().call('hashSampling')).toEqual({ kernel: reference, reference });
    });

    test.each(sharesMemory ? [1, 2] : [1])(
      'simd, %s thread(s): every law of the backends holds, with the tolerances of Node',
      (count) => expectLaws(session(), 'simd', count),
      3 * MINUTES,
    );

    if (hasRelaxedSimd) {
      test.each([1, 3])(
        'relaxed-simd, %s thread(s): every law of the backends holds, with the tolerances of Node',
        (count) => expectLaws(session(), 'relaxed-simd', count),
        3 * MINUTES,
      );
    } else {
      test('relaxed-simd: asking for it is refused by name, or every law of the backends holds', async () => {
        const { works } = await session().call('findLevel', 'relaxed-simd');
        if (works) return expectLaws(session(), 'relaxed-simd', 1);
        const refusal = 'KernelError unavailable: wasm: expected level relaxed-simd to work here';
        expect(await session().call('refusalOf', { level: 'relaxed-simd' })).toContain(refusal);
      });
    }

    test(
      `goldens of every family, ${threads} thread(s): tensors and logits within 1e-5 of scale, tokens equal`,
      async () => {
        const outcomes = await session().call('runWasmGoldens', { threads }, goldenPaths());
        expectAllPassed(outcomes);
        expect(outcomes).toHaveLength(3 * (goldenFamilies().length + 1)); // one family in two types
      },
      3 * MINUTES,
    );

    test.each(DTYPES)(
      `the bundled pair in %s, ${threads} thread(s): Node’s logits bit for bit and Node’s ids, plain and speculative alike`,
      (dtype) => expectAnswersOfNode(session(), { dtype, asked: threads, given: threads, cases: SENTENCES }),
      3 * MINUTES,
    );

    test(
      `four threads, asked for by number, are ${sharesMemory ? 'given, with the same ids' : 'refused, with the reason'}`,
      async () => {
        if (!sharesMemory) expect(await session().call('refusalOf', { threads: 4 })).toMatch(THREADS_REFUSED);
        else await expectAnswersOfNode(session(), { dtype: 'f32', asked: 4, given: 4, cases: ONE_SENTENCE });
      },
      3 * MINUTES,
    );

    test(
      'a page that is not isolated has one thread and the same ids; four, asked for by number, are refused with the reason',
      async () => {
        await session().visit('/ordinary');
        expect(await session().call('pageFacts')).toMatchObject({ isIsolated: false, sharesMemory: false });
        await expectAnswersOfNode(session(), { dtype: 'f32', asked: undefined, given: 1, cases: ONE_SENTENCE });
        expect(await session().call('refusalOf', { threads: 4 })).toMatch(THREADS_REFUSED);
      },
      3 * MINUTES,
    );
  });
}

/** Safari shares memory in isolated pages; WebKitGTK leaves that off, and a switch of JavaScriptCore turns it on. */
describeIn(browserOf('webkit'), 'wasm on threads', () => {
  const session = withSession(browserOf('webkit'), { page: '/isolated', sharesMemory: true });

  test(
    'simd, 2 threads: every law of the backends holds, with the tolerances of Node',
    async () => {
      expect(await session().call('pageFacts')).toMatchObject({ sharesMemory: true });
      await expectLaws(session(), 'simd', 2);
    },
    3 * MINUTES,
  );

  test(
    'the bundled pair in f32, 2 threads: Node’s logits bit for bit and Node’s ids, plain and speculative alike',
    () => expectAnswersOfNode(session(), { dtype: 'f32', asked: 2, given: 2, cases: ONE_SENTENCE }),
    3 * MINUTES,
  );
});
