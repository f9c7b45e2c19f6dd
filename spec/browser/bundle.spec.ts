import { Tandem } from '../../index';
import { BROWSERS, describeIn } from './support/browsers';
import { buildBundle, buildPage } from './support/serve';
import { withSession } from './support/session';

const MINUTES = 60_000;
const INPUT = 'And it came to pass.';
const OPTIONS = { maxNewTokens: 12 };
/** WebKitGTK gives its pages no shared memory. */
const THREADS = { chromium: 2, firefox: 2, webkit: 1 } as const;

const TARGET = 'It came to pass.';
const MASKED = { ids: [41, 700, 42, 3, 45, 1195, 1], mask: [1, 0, 1, 1, 1, 0, 1] };

let inNode: { readonly text: string; readonly ids: readonly number[] };
let sourcesInNode: { readonly logProb: number; readonly vector: readonly number[]; readonly ids: readonly number[] };

beforeAll(async () => {
  const tandem = await Tandem.load(undefined, { backend: 'wasm', level: 'simd', threads: 1 });
  const { text, ids } = await tandem.generate(INPUT, OPTIONS);
  const [{ logProb }] = await tandem.score(INPUT, [TARGET]);
  const vector = Array.from(await tandem.embed(INPUT));
  sourcesInNode = { logProb, vector, ids: (await tandem.generate(MASKED, OPTIONS)).ids };
  await tandem.dispose();
  inNode = { text, ids };
  expect(text.length).toBeGreaterThan(0);
}, MINUTES);

for (const browser of BROWSERS) {
  const threads = THREADS[browser.name];
  const work = { input: INPUT, loadOptions: { threads, level: 'simd' }, options: OPTIONS };
  const inWorker = { ...work, loadOptions: { ...work.loadOptions, worker: true } };
  const expected = (worker: boolean) => ({ ...inNode, backend: 'wasm', level: 'simd', threads, worker });

  describeIn(browser, 'the bundle as it ships', () => {
    const session = withSession(browser, { page: '/isolated' }, () => ({ script: buildPage(), bundle: buildBundle() }));

    test(
      'imported by a classic script, it decodes the bundled pair: Node’s text and ids',
      async () => expect(await session().call('decodeInPage', work)).toEqual(expected(false)),
      2 * MINUTES,
    );

    test(
      'imported by a module worker, it decodes the bundled pair: Node’s text and ids',
      async () => expect(await session().call('decodeInModuleWorker', work)).toEqual(expected(false)),
      2 * MINUTES,
    );

    test(
      'with the option worker, the engine runs in a worker of its own: Node’s text and ids',
      async () => expect(await session().call('decodeInPage', inWorker)).toEqual(expected(true)),
      2 * MINUTES,
    );

    test.each([false, true])(
      'with the option worker %s, scores, embeddings and masked sources have Node’s bits',
      async (worker) => {
        const loadOptions = { ...work.loadOptions, worker };
        const found = await session().call('useSources', { ...work, loadOptions, target: TARGET, masked: MASKED });
        expect(found).toEqual(sourcesInNode);
      },
      2 * MINUTES,
    );

    test(
      'with the option worker, a module worker has an engine in a worker as well: Node’s text and ids',
      async () => expect(await session().call('decodeInModuleWorker', inWorker)).toEqual(expected(true)),
      2 * MINUTES,
    );

    test(
      'with the option worker, the main thread keeps turning while a source of 1,200 tokens is encoded',
      async () => {
        const found = await session().call('countTurns', { length: 1200, loadOptions: inWorker.loadOptions });
        expect(found.tokens).toBe(1);
        expect(found.timers).toBeGreaterThanOrEqual(8); // without a worker: 1 or 2
        expect(found.frames).toBeGreaterThanOrEqual(3);
      },
      2 * MINUTES,
    );

    test.each([false, true])(
      'with the option worker %s, abort ends a call after its first token, and the next call is whole',
      async (worker) => {
        const loadOptions = { ...work.loadOptions, worker };
        const { code, tokens, text } = await session().call('abortThenDecode', { ...work, loadOptions });
        expect({ code, tokens, text }).toEqual({ code: 'aborted', tokens: 1, text: inNode.text });
      },
      2 * MINUTES,
    );

    test(
      'with the option worker, abort ends a call while its long source is encoded, and the next call is whole',
      async () => {
        const { code, tokens, text } = await session().call('abortThenDecode', { ...inWorker, abortedLength: 1200 });
        expect({ code, tokens, text }).toEqual({ code: 'aborted', tokens: 0, text: inNode.text });
      },
      2 * MINUTES,
    );
  });
}
